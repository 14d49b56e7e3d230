import { Refusal, type Subject } from '../core/index.ts';
import {
  type AccessTokenClaims,
  checkAccessTokenTime,
  encodeBase64url,
  ProofFault,
  parseToolCallDetails,
  type SignatureAlgorithm,
  type ToolCallDetail,
  verifyAccessToken,
} from '../proof/index.ts';
import type { AgentDirectory } from './agent-directory.ts';
import { sha256, signatureVerifier } from './crypto.ts';
import type { Revocable, RevocationIndex } from './revocation-index.ts';
import type { SigningKeys } from './signing-keys.ts';
import type { AgentRecord } from './store.ts';

/** A passport that is ours, whole, current and not revoked; how it was shown is not looked at here. */
export interface ReadPassport {
  readonly claims: AccessTokenClaims;
  readonly subject: Subject;
  readonly agent: AgentRecord;
  readonly details: readonly ToolCallDetail[];
  /** Agents that acted before in its chain, the last one first. */
  readonly ancestors: readonly string[];
}

type Checked = Omit<ReadPassport, 'agent'>;

const ALGORITHMS: ReadonlySet<SignatureAlgorithm> = new Set(['ES256']);
const CACHED = 10_000;
const LOADED_KEYS = 8;

export interface PassportReaderOptions {
  readonly tenant: string;
  readonly issuer: string;
  /** The gateway, and the other resource servers that passports are issued for. */
  readonly audiences: readonly string[];
  readonly keys: SigningKeys;
  readonly directory: AgentDirectory;
  readonly revocations: RevocationIndex;
}

/**
 * Reads passports for the gateway and for introspection alike, so that the two never disagree. A checked
 * signature is remembered by the hash of the whole token; time, revocation and status are asked every time.
 */
export class PassportReader {
  readonly #o: PassportReaderOptions;
  readonly #cache = new Map<string, Checked>();
  readonly #verifySignature = signatureVerifier(LOADED_KEYS);
  /** What can hit a passport, by its claims. */
  readonly #revocables = new WeakMap<AccessTokenClaims, Revocable>();

  constructor(o: PassportReaderOptions) {
    this.#o = o;
  }

  /** Throws Refusal: passport_invalid, _audience, _expired, _revoked, agent_quarantined. */
  async read(token: string, now: number): Promise<ReadPassport> {
    const checked = await this.#check(token);
    this.#checkTime(checked.claims, now);
    const agent = await this.#o.directory.find(checked.subject.agentId);
    if (agent === null) throw new Refusal('passport_invalid', { internal: 'the agent is not known' });
    const passport = { ...checked, agent };
    this.assertCurrent(passport);
    return passport;
  }

  /** Throws Refusal when the passport was revoked or its agent may not act; from memory alone. */
  assertCurrent({ claims, subject, ancestors }: Checked): void {
    const agent = this.#o.directory.known(subject.agentId);
    // Quarantine comes with a revocation; the status tells the agent more.
    if (agent?.status === 'quarantined') throw new Refusal('agent_quarantined');
    if (agent?.status === 'deleted') throw new Refusal('passport_revoked', { internal: 'agent deleted' });
    let revocable = this.#revocables.get(claims);
    if (revocable === undefined) {
      const { jti, credential, kid, iat } = claims;
      revocable = { subject, jti, credential, kid, ancestors, issuedAt: iat * 1000 };
      this.#revocables.set(claims, revocable);
    }
    const kind = this.#o.revocations.find(revocable);
    if (kind !== null) throw new Refusal('passport_revoked', { internal: `revoked by ${kind}` });
  }

  /** To be called when keys left the key set: what they signed must be looked at again. */
  forgetSignatures(): void {
    this.#cache.clear();
  }

  async #check(token: string): Promise<Checked> {
    const hash = encodeBase64url(sha256(new TextEncoder().encode(token)));
    const checked = this.#cache.get(hash) ?? (await this.#verify(token));
    // Put last, whether new or known: the one that was used least recently makes room.
    this.#cache.delete(hash);
    this.#cache.set(hash, checked);
    const [oldest] = this.#cache.keys();
    if (this.#cache.size > CACHED && oldest !== undefined) this.#cache.delete(oldest);
    return checked;
  }

  async #verify(token: string): Promise<Checked> {
    try {
      const claims = await verifyAccessToken(token, {
        issuer: this.#o.issuer,
        audience: this.#o.audiences,
        algorithms: ALGORITHMS,
        findKey: (kid) => this.#o.keys.find(kid),
        verifySignature: this.#verifySignature,
      });
      const subject = subjectOf(claims, this.#o.tenant);
      const details = claims.details.length === 0 ? [] : parseToolCallDetails(claims.details);
      return { claims, subject, details, ancestors: ancestorsOf(claims, subject.agentId) };
    } catch (cause) {
      throw toRefusal(cause);
    }
  }

  #checkTime(claims: AccessTokenClaims, now: number): void {
    try {
      checkAccessTokenTime(claims, now);
    } catch (cause) {
      throw toRefusal(cause);
    }
  }
}

/** Who acts (the outermost actor, else the client) and for whom (RFC 8693 section 4.1). */
function subjectOf(claims: AccessTokenClaims, tenant: string): Subject {
  const { sid, owner, chain, sub, clientId, actors } = claims;
  if (sid === null || owner === null || chain.length === 0) {
    throw new Refusal('passport_invalid', { internal: 'sid, owner or chain is missing' });
  }
  const agentId = actors[0] ?? clientId;
  return { tenant, agentId, owner, user: isAgentId(sub) ? null : sub, sid, chain };
}

/**
 * Everyone before the current actor, and the agent that the chain began with. They decide nothing (RFC 8693
 * section 4.1); what ends one of them ends what it passed on.
 */
function ancestorsOf({ actors, clientId, sub }: AccessTokenClaims, current: string): readonly string[] {
  const before = [clientId, ...actors.slice(1), ...(isAgentId(sub) ? [sub] : [])];
  return [...new Set(before)].filter((agent) => agent !== current);
}

/** Our ids of agents begin with what they name; a person's is never like that. */
export function isAgentId(sub: string): boolean {
  return sub.startsWith('agent_');
}

function toRefusal(cause: unknown): unknown {
  if (!(cause instanceof ProofFault)) return cause;
  const detail = { detail: cause.message, cause };
  switch (cause.code) {
    case 'expired':
      return new Refusal('passport_expired', { cause });
    case 'audience':
      return new Refusal('passport_audience', { cause });
    default:
      return new Refusal('passport_invalid', detail);
  }
}
