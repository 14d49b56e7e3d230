import { createHash } from 'node:crypto';
import { type Clock, type JsonObject, LIMITS } from '../../core/index.ts';
import {
  checkSignature,
  ProofFault,
  parseCompactJws,
  readClaims,
  readType,
  type SignatureAlgorithm,
} from '../../proof/index.ts';
import type { AgentDirectory } from '../agent-directory.ts';
import { signatureVerifier } from '../crypto.ts';
import type { AuthenticatedClient } from '../grants/client-authenticator.ts';
import type { TokenForm } from '../grants/token-form.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { AgentStore } from '../store.ts';
import type { ForeignKeys } from './foreign-keys.ts';
import { matchesRule, type TrustRule } from './trust-rules.ts';

const ALGORITHMS: ReadonlySet<SignatureAlgorithm> = new Set([
  'ES256',
  'ES384',
  'EdDSA',
  'Ed25519',
  'PS256',
  'RS256',
]);
/** Tokens of other kinds are no assertion about a workload, whatever they say. */
const TYPES: ReadonlySet<string | null> = new Set([null, 'jwt', 'jose']);
/** A token of a platform lives an hour; one that lives a day is a credential. */
const LONGEST_SECONDS = 24 * 3600;
const SKEW_SECONDS = 10;
const TEXT_CHARS = 1024;
const verifySignature = signatureVerifier(256);

export interface WorkloadAuthenticatorOptions {
  readonly tenant: string;
  readonly issuer: string;
  readonly rules: readonly TrustRule[];
  readonly keys: ForeignKeys;
  readonly agents: AgentStore;
  readonly directory: AgentDirectory;
  readonly clock: Clock;
}

/**
 * Workload identity (RFC 7523 section 2.1): a token that a platform gave to a program (SPIFFE JWT-SVID, Kubernetes,
 * GitHub Actions, a cloud) stands for the agent that an administrator named, so that no secret is shared.
 */
export class WorkloadAuthenticator {
  readonly #o: WorkloadAuthenticatorOptions;

  constructor(o: WorkloadAuthenticatorOptions) {
    this.#o = o;
  }

  /** Throws OAuthFault: invalid_request, invalid_grant, temporarily_unavailable. */
  async authenticate(form: TokenForm, authorization: string | undefined): Promise<AuthenticatedClient> {
    if (authorization !== undefined || form.has('client_assertion') || form.has('client_secret')) {
      throw new OAuthFault('invalid_request', 'with this grant the assertion is the authentication');
    }
    const text = form.required('assertion');
    const { claims, rules } = await this.#verify(text);
    const matching = rules.filter((rule) => matchesRule(rule, claims));
    const [rule, second] = matching;
    if (rule === undefined) throw invalid('no rule trusts this token');
    // Which of two agents it is must not depend on the order of a list.
    if (second !== undefined) throw invalid('more than one rule trusts this token');
    const agent = await this.#o.agents.byName(this.#o.tenant, rule.agent);
    if (agent?.status !== 'active') throw invalid('the agent that the token stands for may not act');
    if ((form.one('client_id') ?? agent.id) !== agent.id)
      throw invalid('the token stands for another client');
    const subject = createHash('sha256').update(String(claims.sub)).digest('base64url');
    return {
      agent: this.#o.directory.put(agent),
      by: { kind: 'workload', id: rule.name, subject },
      once: rule.singleUse ? [onceOf(rule, text, claims)] : [],
    };
  }

  async #verify(text: string): Promise<{ claims: JsonObject; rules: readonly TrustRule[] }> {
    try {
      const jws = parseCompactJws(text, { maxChars: LIMITS.passportChars, algorithms: ALGORITHMS });
      const type = jws.header.typ === undefined ? null : (readType(jws.header) ?? '');
      if (!TYPES.has(type)) throw new ProofFault('type', 'It is a token of another type.');
      const claims = readClaims(jws);
      const rules = this.#o.rules.filter(
        (rule) => rule.issuer === claims.iss && namesAudience(claims, rule.audience ?? this.#o.issuer),
      );
      const { kid } = jws.header;
      const [first] = rules;
      if (first === undefined)
        throw new ProofFault('issuer', 'It is from an issuer, or for an audience, that no rule names.');
      if (typeof kid !== 'string') throw new ProofFault('key', 'It names no key.');
      // Each rule is asked with the keys of its own address: two rules may name one issuer.
      const trusted: TrustRule[] = [];
      for (const rule of rules) {
        const key = await this.#o.keys.find(rule.jwksUri, kid);
        if (key === null) continue;
        await checkSignature(jws, key, verifySignature);
        trusted.push(rule);
      }
      if (trusted.length === 0)
        throw new ProofFault('key', 'It is signed with a key that its issuer does not have.');
      this.#checkTimes(claims);
      return { claims, rules: trusted };
    } catch (cause) {
      if (!(cause instanceof ProofFault)) throw cause;
      throw invalid(cause.message, cause);
    }
  }

  #checkTimes({ exp, nbf, iat, sub, jti }: JsonObject): void {
    const now = this.#o.clock.now() / 1000;
    if (typeof exp !== 'number' || exp <= now) throw new ProofFault('expired', 'It has expired.');
    if (exp > now + LONGEST_SECONDS) throw new ProofFault('claims', 'It lives longer than a day.');
    const begins = [nbf, iat].filter((time) => time !== undefined);
    if (!begins.every((time) => typeof time === 'number' && time <= now + SKEW_SECONDS)) {
      throw new ProofFault('not_yet_valid', 'It is not valid yet.');
    }
    const texts = jti === undefined ? [sub] : [sub, jti];
    const good = texts.every((one) => typeof one === 'string' && one !== '' && one.length <= TEXT_CHARS);
    if (!good) throw new ProofFault('claims', 'Its sub or jti is missing or malformed.');
  }
}

function namesAudience({ aud }: JsonObject, expected: string): boolean {
  return [aud].flat().includes(expected);
}

/** By its jti, or where it has none by its text. */
function onceOf(rule: TrustRule, text: string, { jti, exp }: JsonObject) {
  const name = typeof jti === 'string' ? jti : createHash('sha256').update(text).digest('base64url');
  const expiresAt = (Number(exp) + SKEW_SECONDS + 60) * 1000;
  return {
    by: `workload ${rule.issuer}`,
    jti: name,
    expiresAt,
    fault: () => invalid('the token was used before'),
  };
}

function invalid(description: string, cause?: unknown): OAuthFault {
  return new OAuthFault('invalid_grant', `the assertion is not taken: ${description}`, { cause });
}
