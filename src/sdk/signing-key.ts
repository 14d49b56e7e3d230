import type { JsonObject } from '../core/index.ts';
import { encodeBase64url, jwkThumbprint, parsePublicJwk } from '../proof/index.ts';
import { sha256 } from './web-crypto.ts';

/** A private key as a JWK (RFC 7517): P-256 (ES256) or Ed25519 (EdDSA). */
export type PrivateJwk = JsonWebKey & { readonly kid?: string };

interface Algorithm {
  readonly alg: 'ES256' | 'EdDSA';
  readonly key: EcKeyImportParams | { readonly name: string };
  readonly use: EcdsaParams | { readonly name: string };
}

const ES256: Algorithm = {
  alg: 'ES256',
  key: { name: 'ECDSA', namedCurve: 'P-256' },
  use: { name: 'ECDSA', hash: 'SHA-256' },
};
const EDDSA: Algorithm = { alg: 'EdDSA', key: { name: 'Ed25519' }, use: { name: 'Ed25519' } };

/** A key that signs JWTs, by WebCrypto alone. */
export class SigningKey {
  readonly #privateKey: CryptoKey;
  readonly #algorithm: Algorithm;
  readonly publicJwk: JsonObject;
  /** RFC 7638 thumbprint: what a passport is bound to. */
  readonly thumbprint: string;
  readonly kid: string | null;

  private constructor(
    privateKey: CryptoKey,
    algorithm: Algorithm,
    open: { readonly publicJwk: JsonObject; readonly thumbprint: string; readonly kid: string | null },
  ) {
    this.#privateKey = privateKey;
    this.#algorithm = algorithm;
    this.publicJwk = open.publicJwk;
    this.thumbprint = open.thumbprint;
    this.kid = open.kid;
  }

  /** A new P-256 key whose private half can not leave this process. */
  static async generate(): Promise<SigningKey> {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
      'verify',
    ]);
    const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey);
    return new SigningKey(pair.privateKey, ES256, await describe(jwk, null));
  }

  /** Throws TypeError for a key of another kind, or without its private part. */
  static async import(jwk: PrivateJwk): Promise<SigningKey> {
    const { kty, crv, x, y, d, kid } = jwk;
    const algorithm = crv === 'Ed25519' ? EDDSA : ES256;
    if (d === undefined || (crv !== 'P-256' && crv !== 'Ed25519')) {
      throw new TypeError('the key of an agent is a private JWK on the curve P-256 or Ed25519');
    }
    const material = { kty: kty ?? '', crv, x: x ?? '', d, ...(y === undefined ? {} : { y }) };
    const privateKey = await crypto.subtle.importKey('jwk', material, algorithm.key, false, ['sign']);
    return new SigningKey(privateKey, algorithm, await describe(material, kid ?? null));
  }

  /** A compact JWS; `header` stands beside `alg`. */
  async sign(header: JsonObject, claims: JsonObject): Promise<string> {
    const { alg, use } = this.#algorithm;
    const text = `${encode({ alg, ...header })}.${encode(claims)}`;
    const signature = await crypto.subtle.sign(use, this.#privateKey, new TextEncoder().encode(text));
    return `${text}.${encodeBase64url(new Uint8Array(signature))}`;
  }
}

async function describe({ kty = '', crv = '', x = '', y }: JsonWebKey, kid: string | null) {
  const publicJwk = { kty, crv, x, ...(y === undefined ? {} : { y }) };
  return { publicJwk, thumbprint: await jwkThumbprint(parsePublicJwk(publicJwk), sha256), kid };
}

function encode(value: JsonObject): string {
  return encodeBase64url(new TextEncoder().encode(JSON.stringify(value)));
}
