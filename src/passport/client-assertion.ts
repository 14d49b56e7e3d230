import { type JsonObject, LIMITS } from '../core/index.ts';
import {
  ProofFault,
  parseCompactJws,
  readClaims,
  readType,
  type SignatureAlgorithm,
} from '../proof/index.ts';
import { ASSERTION_ALGORITHMS } from './agent-input.ts';
import { OAuthFault } from './oauth-fault.ts';
import type { AgentRecord } from './store.ts';

/** Longest time that an assertion may ask to be good for: each is remembered until then. */
const LONGEST_SECONDS = 600;
const JTI_CHARS = 256;
const ALGORITHMS: ReadonlySet<SignatureAlgorithm> = new Set(ASSERTION_ALGORITHMS);
const TYPES: ReadonlySet<string | null> = new Set([null, 'jwt', 'client-authentication+jwt']);

/**
 * What a client assertion (RFC 7523) whose signature was checked must also keep to: one canonical text, a
 * bounded life, a jti, and a type that is not another token's. Answers the `kid` of the agent's key that signed
 * it. Throws OAuthFault('invalid_client').
 */
export function checkClientAssertion(text: string, agent: AgentRecord, now: number): string {
  const { header, claims } = parse(text);
  if (!TYPES.has(readType(header) ?? (header.typ === undefined ? null : ''))) {
    throw invalid('the client assertion is a token of another type');
  }
  const { exp, jti } = claims;
  if (typeof exp !== 'number' || exp > now / 1000 + LONGEST_SECONDS) {
    throw invalid(`the client assertion must expire within ${LONGEST_SECONDS} seconds`);
  }
  if (typeof jti !== 'string' || jti.length > JTI_CHARS) {
    throw invalid(`the jti of the client assertion has at most ${JTI_CHARS} characters`);
  }
  const [only, ...others] = agent.jwks;
  const kid = header.kid ?? (others.length === 0 ? only?.kid : undefined);
  const known = agent.jwks.some((key) => key.kid === kid);
  // Sessions follow the key, so it must be clear which one it was.
  if (typeof kid !== 'string' || !known) throw invalid('the client assertion must name its key by kid');
  return kid;
}

function parse(text: string): { header: JsonObject; claims: JsonObject } {
  try {
    const jws = parseCompactJws(text, { maxChars: LIMITS.proofChars, algorithms: ALGORITHMS });
    return { header: jws.header, claims: readClaims(jws) };
  } catch (cause) {
    if (cause instanceof ProofFault) throw invalid('the client assertion is not well-formed', cause);
    throw cause;
  }
}

function invalid(description: string, cause?: unknown): OAuthFault {
  return new OAuthFault('invalid_client', description, { cause });
}
