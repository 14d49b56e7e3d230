import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import type { JsonObject } from '../../core/index.ts';
import { rawOf } from '../ecdsa.ts';
import type { SigningKeys } from '../signing-keys.ts';

type SigningKey = SigningKeys['current'];

const signAsync = promisify(sign);
/** Of r and of s. */
const P256_BYTES = 32;

/** Signs what the issuer itself says, as compact JWS with ES256 (RFC 7518 section 3.4). */
export class Signer {
  readonly #keys: SigningKeys;
  #loaded: { readonly kid: string; readonly key: KeyObject } | null = null;

  constructor(keys: SigningKeys) {
    this.#keys = keys;
  }

  /** The key that signs now. What is issued names it, so take it once for each token. */
  get current(): SigningKey {
    return this.#keys.current;
  }

  async sign(key: SigningKey, typ: string, claims: JsonObject): Promise<string> {
    const header = encode({ alg: 'ES256', typ, kid: key.kid });
    const text = `${header}.${encode(claims)}`;
    const signature = await signAsync('sha256', Buffer.from(text), this.#load(key));
    return `${text}.${rawOf(signature, P256_BYTES).toString('base64url')}`;
  }

  #load({ kid, jwk }: SigningKey): KeyObject {
    if (this.#loaded?.kid !== kid) {
      this.#loaded = { kid, key: createPrivateKey({ key: jwk, format: 'jwk' }) };
    }
    return this.#loaded.key;
  }
}

function encode(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
