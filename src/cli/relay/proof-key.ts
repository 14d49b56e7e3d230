import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { toSeconds } from '../../core/index.ts';

/**
 * The key that passports are bound to (RFC 9449). It is made for one run and lives in this process alone: it
 * can't be exported, so neither the child nor a core dump of another process can take it along.
 */
export class ProofKey {
  readonly #privateKey: CryptoKey;
  readonly #publicJwk: JWK;
  /** The nonce that each server asked for last (RFC 9449 section 8). */
  readonly #nonces = new Map<string, string>();
  readonly thumbprint: string;

  private constructor(privateKey: CryptoKey, publicJwk: JWK, thumbprint: string) {
    this.#privateKey = privateKey;
    this.#publicJwk = publicJwk;
    this.thumbprint = thumbprint;
  }

  static async generate(): Promise<ProofKey> {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwk = await exportJWK(publicKey);
    return new ProofKey(privateKey, jwk, await calculateJwkThumbprint(jwk));
  }

  /** A fresh proof for one request; `passport` is named by its digest once there is one. */
  prove(request: {
    readonly htm: string;
    readonly htu: string;
    /** Who checks it: nonces belong to one server. */
    readonly server: string;
    readonly passport?: string;
  }): Promise<string> {
    const { htm, htu, server, passport } = request;
    const nonce = this.#nonces.get(server);
    const ath =
      passport === undefined ? undefined : createHash('sha256').update(passport).digest('base64url');
    return new SignJWT({
      htm,
      htu,
      jti: randomUUID(),
      ...(ath === undefined ? {} : { ath }),
      ...(nonce === undefined ? {} : { nonce }),
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: this.#publicJwk })
      .setIssuedAt(toSeconds(Date.now()))
      .sign(this.#privateKey);
  }

  /** Keeps the nonce of a `DPoP-Nonce` field; true when it is another one than before. */
  learnNonce(server: string, nonce: string | null | undefined): boolean {
    if (nonce === null || nonce === undefined || this.#nonces.get(server) === nonce) return false;
    this.#nonces.set(server, nonce);
    return true;
  }
}
