import { type Clock, toSeconds } from '../../core/index.ts';
import { ProofFault, verifyDpopProof } from '../../proof/index.ts';
import type { ClientCertificate } from '../client-certificate.ts';
import { parallelSignatureVerifier, sha256 } from '../crypto.ts';
import type { Nonces } from '../nonces.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { OnceOnly } from './once.ts';

const MAX_AGE_SECONDS = 120;
const MAX_AHEAD_SECONDS = 10;
/** The OAuth library takes proofs of 300 seconds before and after; what was used here must be used there too. */
const REMEMBERED_SECONDS = 660;
const LOADED_KEYS = 4096;

/** What a new passport is bound to, a key or a certificate, and the proof of it, not used yet. */
export interface TokenProof {
  readonly jkt: string | null;
  readonly x5t: string | null;
  readonly once: readonly OnceOnly[];
}

export interface TokenProofOptions {
  readonly tokenEndpoint: string;
  /** Null: no nonce is asked for. */
  readonly nonces: Nonces | null;
  /** Whether unbound passports are issued. */
  readonly boundOnly: boolean;
  readonly clock: Clock;
}

/** Reads DPoP proofs at the token endpoint (RFC 9449 section 5) for the grants that are ours. */
export class TokenProofReader {
  readonly #o: TokenProofOptions;
  readonly #verifySignature = parallelSignatureVerifier(LOADED_KEYS);

  constructor(o: TokenProofOptions) {
    this.#o = o;
  }

  /** The nonce that answers carry, or null. */
  nonce(): string | null {
    return this.#o.nonces?.current(this.#o.clock.now()) ?? null;
  }

  /**
   * Null where no proof came and none is needed. A certificate that the client showed stands in for a proof (RFC 8705
   * section 3). `htu`: where it was shown, the token endpoint unless told. Throws OAuthFault: invalid_grant,
   * invalid_dpop_proof, use_dpop_nonce.
   */
  async read(
    shown: { readonly proof: string | undefined; readonly certificate: ClientCertificate | null },
    clientId: string,
    htu = this.#o.tokenEndpoint,
  ): Promise<TokenProof | null> {
    const { proof, certificate } = shown;
    const { boundOnly, nonces, clock } = this.#o;
    if (proof === undefined) {
      if (certificate !== null) return { jkt: null, x5t: certificate.x5t, once: [] };
      if (boundOnly) throw new OAuthFault('invalid_grant', 'a DPoP proof is missing');
      return null;
    }
    const now = clock.now();
    const { jkt, jti } = await verifyDpopProof(
      proof,
      {
        htm: 'POST',
        htu,
        accessToken: null,
        now,
        maxAgeSeconds: MAX_AGE_SECONDS,
        maxAheadSeconds: MAX_AHEAD_SECONDS,
        checkNonce: nonces === null ? null : (nonce) => nonces.isCurrent(nonce, now),
      },
      { verifySignature: this.#verifySignature, sha256 },
    ).catch((cause: unknown) => {
      if (!(cause instanceof ProofFault)) throw cause;
      const code = cause.code === 'nonce' ? 'use_dpop_nonce' : 'invalid_dpop_proof';
      throw new OAuthFault(code, cause.message, { cause });
    });
    const expiresAt = (toSeconds(now) + REMEMBERED_SECONDS) * 1000;
    const fault = () => new OAuthFault('invalid_grant', 'the DPoP proof was used before');
    return { jkt, x5t: null, once: [{ by: clientId, jti, expiresAt, fault }] };
  }
}
