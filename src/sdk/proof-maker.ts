import { parseUrl, toSeconds } from '../core/index.ts';
import { encodeBase64url } from '../proof/index.ts';
import type { SigningKey } from './signing-key.ts';
import { sha256 } from './web-crypto.ts';

/** Makes DPoP proofs (RFC 9449) with one key, and knows the nonce that each server asked for last. */
export class ProofMaker {
  readonly key: SigningKey;
  readonly #now: () => number;
  readonly #nonces = new Map<string, string>();

  constructor(key: SigningKey, now: () => number) {
    this.key = key;
    this.#now = now;
  }

  /** A fresh proof for one request; `accessToken` where one goes along. */
  async prove(o: {
    readonly method: string;
    readonly url: string;
    readonly accessToken?: string;
  }): Promise<string> {
    const { origin, pathname } = new URL(o.url);
    const nonce = this.#nonces.get(origin);
    return this.key.sign(
      { typ: 'dpop+jwt', jwk: this.key.publicJwk },
      {
        htm: o.method,
        htu: `${origin}${pathname}`,
        jti: crypto.randomUUID(),
        iat: toSeconds(this.#now()),
        ...(o.accessToken === undefined ? {} : { ath: await digestOf(o.accessToken) }),
        ...(nonce === undefined ? {} : { nonce }),
      },
    );
  }

  /** Keeps the nonce of an answer; true when it is another one than before, and the request worth one more try. */
  learn(url: string, nonce: string | null): boolean {
    const origin = parseUrl(url)?.origin;
    if (nonce === null || origin === undefined || this.#nonces.get(origin) === nonce) return false;
    this.#nonces.set(origin, nonce);
    return true;
  }
}

/** `ath` of RFC 9449: SHA-256 of the token. */
export async function digestOf(token: string): Promise<string> {
  return encodeBase64url(await sha256(new TextEncoder().encode(token)));
}
