import { type JsonObject, LIMITS, toSeconds } from '../../core/index.ts';
import {
  checkSignature,
  DPOP_ALGORITHMS,
  encodeBase64url,
  jwkThumbprint,
  ProofFault,
  parseCompactJws,
  parsePublicJwk,
  parseToolCallDetails,
  readClaims,
  readType,
  type ToolCallDetail,
} from '../../proof/index.ts';
import { sha256, signatureVerifier } from '../crypto.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { OnceOnly } from './once.ts';

/** Type of the JWT by which the holder of a passport's key passes it on to one actor. */
const SUBJECT_PROOF_TYPE = 'delegation+jwt';

const LONGEST_SECONDS = 600;
const MAX_AHEAD_SECONDS = 10;
const JTI_CHARS = 256;
const verifySignature = signatureVerifier(1024);

/** What the holder passes on: never more than he has, often less. Absent members say nothing. */
export interface Delegation {
  readonly once: OnceOnly;
  readonly scopes: readonly string[] | null;
  readonly details: readonly ToolCallDetail[] | null;
  readonly maxDepth: number | null;
  /** Seconds since the epoch by which the new passport ends. */
  readonly notAfter: number | null;
}

/**
 * Checks a proof by the subject token's own key: a JWT of type `delegation+jwt` signed with the key that the
 * token is bound to (`jwk` in its header), for this issuer (`aud`), about this token (`ath`, as in RFC 9449) and
 * this actor (`act.sub`), made within ten minutes (`iat`), with a `jti` that counts once. `scope`,
 * `authorization_details`, `max_depth` and `not_after` narrow what is passed on. Throws
 * OAuthFault('invalid_grant').
 */
export async function readSubjectProof(
  text: string,
  expected: {
    readonly issuer: string;
    readonly subjectToken: string;
    /** Thumbprint that the subject token is bound to. */
    readonly jkt: string;
    readonly actor: string;
    readonly now: number;
  },
): Promise<Delegation> {
  try {
    return await check(text, expected);
  } catch (cause) {
    if (!(cause instanceof ProofFault)) throw cause;
    throw new OAuthFault('invalid_grant', `the subject_proof is not valid: ${cause.message}`, { cause });
  }
}

async function check(text: string, expected: Parameters<typeof readSubjectProof>[1]): Promise<Delegation> {
  const jws = parseCompactJws(text, { maxChars: LIMITS.passportChars, algorithms: DPOP_ALGORITHMS });
  if (readType(jws.header) !== SUBJECT_PROOF_TYPE) throw new ProofFault('type', 'It is of another type.');
  const key = parsePublicJwk(jws.header.jwk);
  if ((await jwkThumbprint(key, sha256)) !== expected.jkt) {
    throw new ProofFault('key', 'The subject token is bound to another key.');
  }
  await checkSignature(jws, key, verifySignature);
  const claims = readClaims(jws);
  const { aud, ath, act, jti, iat } = claims;
  const hash = encodeBase64url(sha256(new TextEncoder().encode(expected.subjectToken)));
  if (aud !== expected.issuer) throw new ProofFault('audience', 'It is for another issuer.');
  if (ath !== hash) throw new ProofFault('token_hash', 'It is about another token.');
  if (!isObject(act) || act.sub !== expected.actor) throw new ProofFault('claims', 'It names another actor.');
  const now = expected.now / 1000;
  if (typeof iat !== 'number' || iat < now - LONGEST_SECONDS || iat > now + MAX_AHEAD_SECONDS) {
    throw new ProofFault('time', 'It was not made within ten minutes.');
  }
  if (typeof jti !== 'string' || jti.length === 0 || jti.length > JTI_CHARS) {
    throw new ProofFault('claims', 'It has no jti.');
  }
  const expiresAt = (toSeconds(expected.now) + LONGEST_SECONDS + MAX_AHEAD_SECONDS + 60) * 1000;
  const fault = () => new OAuthFault('invalid_grant', 'the subject_proof was used before');
  return { once: { by: `delegation ${expected.jkt}`, jti, expiresAt, fault }, ...narrowing(claims) };
}

function narrowing(claims: JsonObject): Omit<Delegation, 'once'> {
  const { scope, authorization_details, max_depth, not_after } = claims;
  if (scope !== undefined && typeof scope !== 'string')
    throw new ProofFault('claims', 'Its scope is malformed.');
  return {
    scopes: scope === undefined ? null : scope.split(' ').filter((one) => one !== ''),
    details: authorization_details === undefined ? null : parseToolCallDetails(authorization_details),
    maxDepth: wholeOrNull(max_depth, 'max_depth'),
    notAfter: wholeOrNull(not_after, 'not_after'),
  };
}

function wholeOrNull(value: JsonObject[string] | undefined, name: string): number | null {
  if (value === undefined) return null;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw new ProofFault('claims', `Its ${name} is no whole number.`);
  }
  return value;
}

function isObject(value: JsonObject[string] | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
