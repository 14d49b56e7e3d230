import { type JsonObject, LIMITS } from '../core/index.ts';
import type { SignatureAlgorithm } from './algorithms.ts';
import { encodeBase64url } from './base64url.ts';
import { ProofFault } from './fault.ts';
import {
  checkSignature,
  parseCompactJws,
  readClaims,
  readType,
  type UnverifiedJws,
  type VerifySignature,
} from './jws.ts';
import { type PublicJwk, parsePublicJwk } from './public-jwk.ts';
import { normalizeTarget } from './target.ts';
import { jwkThumbprint, type Sha256 } from './thumbprint.ts';

/** What a good DPoP proof says. Whether its `jti` is new is the caller's to check, once, atomically. */
export interface VerifiedProof {
  /** Thumbprint of the key that made it. */
  readonly jkt: string;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly iat: number;
}

export interface DpopExpectation {
  readonly htm: string;
  readonly htu: string;
  /** Null at the token endpoint: there is no access token yet. */
  readonly accessToken: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly maxAgeSeconds: number;
  readonly maxAheadSeconds: number;
  /** Answers whether a nonce is one of the current ones; null: none is asked for, and any is taken. */
  readonly checkNonce: ((nonce: string) => boolean) | null;
}

/** A proof whose text, header and key are in order; its signature and claims are not looked at yet. */
export interface UnverifiedProof {
  readonly jws: UnverifiedJws;
  readonly key: PublicJwk;
  readonly claims: JsonObject;
}

/** Algorithms that proofs may be signed with: what `dpop_signing_alg_values_supported` says. */
export const DPOP_ALGORITHMS: ReadonlySet<SignatureAlgorithm> = new Set([
  'ES256',
  'EdDSA',
  'Ed25519',
  'PS256',
  'RS256',
]);

const JTI_CHARS = 256;

/** Reads the text of a DPoP proof (RFC 9449 section 4.3, checks 2 to 7). Throws ProofFault. */
export function parseDpopProof(text: string): UnverifiedProof {
  const jws = parseCompactJws(text, { maxChars: LIMITS.proofChars, algorithms: DPOP_ALGORITHMS });
  if (readType(jws.header) !== 'dpop+jwt') {
    throw new ProofFault('type', 'The proof is not of the type dpop+jwt.');
  }
  return { jws, key: parsePublicJwk(jws.header.jwk), claims: readClaims(jws) };
}

/** Checks a DPoP proof for one request (RFC 9449 section 4.3, all but the uniqueness of `jti`). Throws ProofFault. */
export async function verifyDpopProof(
  text: string,
  expected: DpopExpectation,
  crypto: { readonly verifySignature: VerifySignature; readonly sha256: Sha256 },
): Promise<VerifiedProof> {
  const { jws, key, claims } = parseDpopProof(text);
  await checkSignature(jws, key, crypto.verifySignature);
  checkTarget(claims, expected);
  await checkTokenHash(claims, expected.accessToken, crypto.sha256);
  checkNonce(claims, expected.checkNonce);
  const iat = checkTime(claims, expected);
  return { jkt: await jwkThumbprint(key, crypto.sha256), jti: readJti(claims), iat };
}

function checkTarget(claims: JsonObject, expected: DpopExpectation): void {
  if (claims.htm !== expected.htm) throw new ProofFault('method', 'The proof is for another method.');
  const named = typeof claims.htu === 'string' ? normalizeTarget(expected.htm, claims.htu) : null;
  if (named === null || named !== normalizeTarget(expected.htm, expected.htu)) {
    throw new ProofFault('target', 'The proof is for another target.');
  }
}

async function checkTokenHash(claims: JsonObject, accessToken: string | null, sha256: Sha256): Promise<void> {
  if (accessToken === null) return;
  const hash = encodeBase64url(await sha256(new TextEncoder().encode(accessToken)));
  if (claims.ath !== hash) throw new ProofFault('token_hash', 'The proof is not for this access token.');
}

function checkNonce(claims: JsonObject, isCurrent: DpopExpectation['checkNonce']): void {
  if (isCurrent === null) return;
  if (typeof claims.nonce !== 'string' || !isCurrent(claims.nonce)) {
    throw new ProofFault('nonce', 'The proof needs a current nonce.');
  }
}

function checkTime(claims: JsonObject, expected: DpopExpectation): number {
  const { iat, exp, nbf } = claims;
  const now = expected.now / 1000;
  if (typeof iat !== 'number' || iat < now - expected.maxAgeSeconds || iat > now + expected.maxAheadSeconds) {
    throw new ProofFault('time', 'The proof was not made just now.');
  }
  // RFC 9449 asks for neither of them; a client that states a bound gets it kept.
  if (exp !== undefined && !(typeof exp === 'number' && exp > now)) {
    throw new ProofFault('time', 'The proof has expired.');
  }
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + expected.maxAheadSeconds)) {
    throw new ProofFault('time', 'The proof is not valid yet.');
  }
  return iat;
}

function readJti(claims: JsonObject): string {
  const { jti } = claims;
  if (typeof jti !== 'string' || jti.length === 0 || jti.length > JTI_CHARS) {
    throw new ProofFault('claims', `The proof needs a jti of 1 to ${JTI_CHARS} characters.`);
  }
  return jti;
}
