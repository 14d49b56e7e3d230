import { setTimeout as pause } from 'node:timers/promises';
import {
  type AuditEvent,
  type Clock,
  type JsonObject,
  newId,
  type RateLimiter,
  type Subject,
  type UnitOfWork,
} from '../core/index.ts';
import type { ToolCallDetail } from '../proof/index.ts';
import type { AgentDirectory } from './agent-directory.ts';
import type { AskedGrant } from './grants/asked-grant.ts';
import { type OnceOnly, rowOf } from './grants/once.ts';
import { actorsAfter, grantDetails, narrowGrant, ownClaims } from './issued-claims.ts';
import { OAuthFault, tooManyRequests } from './oauth-fault.ts';
import type { PassportStores, ScopesAsked } from './options.ts';
import { isAgentId, type ReadPassport } from './passport-reader.ts';
import { type AuthenticatedBy, credentialOf, type Pepper } from './pepper.ts';
import type { Revocable, RevocationIndex } from './revocation-index.ts';
import { chooseScopes } from './scope-choice.ts';
import { REUSE_AFTER_MS, type StatusEntries } from './status/status-entries.ts';
import type { AgentRecord, Issue, IssueOutcome, IssueStore, PassportRecord } from './store.ts';

export interface IssuingOptions {
  readonly tenant: string;
  readonly directory: AgentDirectory;
  readonly revocations: RevocationIndex;
  readonly issues: IssueStore;
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly pepper: Pepper;
  readonly limiter: RateLimiter;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly statusEntries: StatusEntries;
  /** Delegations that a chain may hold, at most. */
  readonly maxDepth: number;
  /** Told of the scopes that an agent asks for, before it is answered: some are decoys. */
  readonly onAsked?: ScopesAsked;
}

/** Who authenticated, as it was registered at that moment, and with what. */
export interface Authenticated {
  readonly agent: AgentRecord;
  readonly by: AuthenticatedBy;
}

/** A passport as the issuer is about to sign it. Times are seconds since the epoch. */
export interface PassportDraft {
  readonly iat: number;
  readonly exp: number;
  readonly scope: string;
  readonly audience: string;
  readonly jkt: string | null;
  readonly x5t: string | null;
  readonly grant: string;
  /** Name of the key that will sign it. */
  readonly kid: string;
  readonly asked: AskedGrant;
  /** The passport that it is exchanged from; null: it begins a chain. */
  readonly parent: ReadPassport | null;
  /** The user in whose name the agent acts, and what the user gave; null: nobody's, or that of the parent. */
  readonly person?: {
    readonly userId: string;
    /** The hop of the grant. */
    readonly hop: string;
    /** The details that the user gave once for all passports with this hop; absent: they are those of the draft. */
    readonly held?: readonly ToolCallDetail[] | null;
  };
}

/** Further work in the transaction that records the passport: what it throws issues nothing. */
export type Within = (stores: PassportStores, now: number) => Promise<void>;

/** What a passport uses up. */
interface Uses {
  readonly once: readonly OnceOnly[];
  readonly within: Within | undefined;
}

const NOTHING_USED: Uses = { once: [], within: undefined };

/** Whether, and with what, a passport is issued to an authenticated agent. */
export class Issuing {
  readonly #o: IssuingOptions;

  constructor(o: IssuingOptions) {
    this.#o = o;
  }

  /**
   * Lets an authenticated agent in and answers the scopes that its passport gets: those it asks for, or all
   * that it may have; of an exchanged one, what the subject token has as well. Throws OAuthFault:
   * invalid_client, invalid_scope, too many requests.
   */
  async admit(
    clientId: string,
    requested: string | undefined,
    parent: ReadPassport | null = null,
    userId: string | null = null,
  ): Promise<readonly string[]> {
    const { limiter, clock, directory } = this.#o;
    const wait = limiter.take(clientId, clock.now());
    if (wait > 0) throw tooManyRequests(wait);
    const agent = await directory.find(clientId);
    if (agent?.status !== 'active') throw new OAuthFault('invalid_client', 'client authentication failed');
    await this.#leaveRevokedSecond(agent, userId);
    if (requested !== undefined && requested !== '') {
      await this.noticeAsked(agent, requested, parent?.claims.sid ?? null);
    }
    return chooseScopes(agent, requested, parent);
  }

  /** Tells who listens what an agent that has authenticated asks for, whether it may have it or not. */
  async noticeAsked(agent: AgentRecord, requested: string, sid: string | null = null): Promise<void> {
    await this.#o.onAsked?.({ agent, sid, scopes: [...new Set(requested.split(' '))] });
  }

  /**
   * Records the passport, durably and in the log, and answers the claims that are ours to add. What is not
   * recorded is not issued. Throws OAuthFault.
   */
  async issue(
    draft: PassportDraft,
    { agent, by }: Authenticated,
    { once, within }: Uses = NOTHING_USED,
  ): Promise<JsonObject> {
    const { directory, audit, clock, statusEntries } = this.#o;
    const { parent, asked } = draft;
    const subject = this.#subjectOf(draft, { agent, by });
    const credential = credentialOf(by);
    const held = draft.person?.held ?? null;
    const granted =
      held === null
        ? grantDetails(asked.details, parent, subject.chain.length - 1)
        : narrowGrant(asked.details, held);
    const actors = actorsOf(draft, agent);
    await this.#assertMayAct(asked.mayAct, agent.id);
    // Sortable by time, as our other ids are: those of one second are listed in their order.
    const jti = newId('jti', clock.now());
    const passport = recordOf(draft, { subject, jti, actors, details: granted.details, credential });
    this.#assertNotRevoked(passport, parent);
    const outcome = await this.#write(
      {
        passport,
        agentRevision: agent.revision,
        once: once.map(rowOf),
        statusEntries: statusEntries.candidates(),
        entryFreeAt: passport.expiresAt + REUSE_AFTER_MS,
      },
      within,
    );
    if (outcome.kind === 'agent-changed') {
      // Any change since the agent authenticated may have taken the right to it away.
      await directory.refresh(agent.id);
      throw refused('the client was changed meanwhile');
    }
    if (outcome.kind === 'used') throw once[outcome.at]?.fault() ?? new TypeError('no such thing was used');
    const record = { ...passport, statusIndex: outcome.statusIndex };
    await audit(issuedEvent(record, clock.now()));
    // Revocations may have come in while it was written.
    this.#assertNotRevoked(record, parent);
    return ownClaims({
      subject,
      jti,
      purpose: agent.purpose,
      actors,
      granted,
      mayAct: asked.mayAct,
      maxDepth: this.#maxDepth(draft),
      credential,
      status: statusEntries.reference(record.statusIndex),
    });
  }

  /** By itself a passport is written in one transaction with others that are issued at the moment. */
  #write(issue: Issue, within: Within | undefined): Promise<IssueOutcome> {
    const { issues, unitOfWork, clock } = this.#o;
    if (within === undefined) return issues.write(issue, clock.now());
    return unitOfWork.run(async (stores) => {
      const outcome = await stores.issues.write(issue, clock.now());
      if (outcome.kind === 'issued') await within(stores, clock.now());
      return outcome;
    });
  }

  /** The session and the chain of what a passport is exchanged from go on; else both begin. */
  #subjectOf({ parent, person }: PassportDraft, { agent, by }: Authenticated): Subject {
    const { tenant, pepper, clock } = this.#o;
    if (person !== undefined) {
      const { userId, hop } = person;
      const sid = pepper.sessionFor(agent, userId);
      return { tenant, agentId: agent.id, owner: agent.owner, user: userId, sid, chain: [hop] };
    }
    const hop = newId('hop', clock.now());
    return {
      tenant,
      agentId: agent.id,
      owner: agent.owner,
      user: parent === null ? null : parent.subject.user,
      sid: parent === null ? pepper.sessionOf(agent, by) : parent.subject.sid,
      chain: parent === null ? [hop] : [...parent.subject.chain, hop],
    };
  }

  #maxDepth({ asked, parent }: PassportDraft): number {
    const { maxDepth } = this.#o;
    return Math.min(maxDepth, asked.maxDepth ?? maxDepth, parent?.claims.maxDepth ?? maxDepth);
  }

  async #assertMayAct(id: string | null, self: string): Promise<void> {
    if (id === null) return;
    const agent = await this.#o.directory.find(id);
    if (id === self || agent?.status !== 'active') {
      throw new OAuthFault('invalid_request', 'may_act names no other active agent');
    }
  }

  /**
   * `iat` counts whole seconds, so a passport from the second in which its agent was revoked (and released)
   * can't be told from the revoked ones. Issuing waits until that second is over.
   */
  async #leaveRevokedSecond(agent: AgentRecord, user: string | null): Promise<void> {
    const { tenant, revocations, clock } = this.#o;
    const subject = { tenant, agentId: agent.id, owner: agent.owner, user };
    const revokedAt = revocations.lastMoment(subject);
    if (revokedAt === null) return;
    const over = (Math.floor(revokedAt / 1000) + 1) * 1000 - clock.now();
    if (over > 0) await pause(Math.min(over, 1000));
  }

  #assertNotRevoked(record: PassportRecord, parent: ReadPassport | null): void {
    const kind = this.#o.revocations.find(revocableOf(record));
    if (kind !== null) throw refused(`the ${kind} was revoked`);
    // Its parent's jti and key are in no claim of its own.
    const before = parent === null ? null : this.#o.revocations.find(revocableParent(parent));
    if (before !== null) throw refused(`the ${before} of the subject token was revoked`);
  }
}

/** Who acts, the current one first. For a person it is named, since the subject is the person. */
function actorsOf({ parent, person }: PassportDraft, agent: AgentRecord): readonly string[] {
  if (person !== undefined) return [agent.id];
  return parent === null ? [] : actorsAfter(parent, agent);
}

function refused(why: string): OAuthFault {
  return new OAuthFault('invalid_grant', `no passport is issued: ${why}`);
}

/** A record as revocations look at it. */
export function revocableOf(record: PassportRecord): Revocable {
  const { tenant, agentId, owner, user, sid, chain, jti, issuedAt, kid, credential, lineage } = record;
  const subject = { tenant, agentId, owner, user, sid, chain };
  return { subject, jti, issuedAt, kid, credential, ancestors: lineage.filter((one) => one !== agentId) };
}

function revocableParent({ claims, subject, ancestors }: ReadPassport): Revocable {
  const { jti, kid, credential, iat } = claims;
  return { subject, jti, kid, credential, ancestors, issuedAt: iat * 1000 };
}

function recordOf(
  draft: PassportDraft,
  o: {
    readonly subject: Subject;
    readonly jti: string;
    readonly actors: readonly string[];
    readonly details: readonly ToolCallDetail[];
    readonly credential: string;
  },
): PassportRecord {
  const { scope, audience, jkt, x5t, grant, iat, exp, kid, parent } = draft;
  const { subject, jti, actors, details, credential } = o;
  const root = parent !== null && isAgentId(parent.claims.sub) ? [parent.claims.sub] : [];
  return {
    ...subject,
    jti,
    scope,
    audience,
    jkt,
    x5t,
    grant,
    issuedAt: iat * 1000,
    expiresAt: exp * 1000,
    parent: parent?.claims.jti ?? null,
    lineage: [...new Set([subject.agentId, ...actors, ...root])],
    details,
    kid,
    credential,
    statusIndex: null,
  };
}

function issuedEvent({ tenant, issuedAt: _, ...data }: PassportRecord, at: number): AuditEvent {
  return { type: 'passport.issued', tenant, at, data };
}
