import { setTimeout as pause } from 'node:timers/promises';
import {
  type AuditEvent,
  type Clock,
  type JsonObject,
  newId,
  type Subject,
  type UnitOfWork,
} from '../core/index.ts';
import type { AgentDirectory } from './agent-directory.ts';
import { INTROSPECT_SCOPE } from './agent-input.ts';
import { OAuthFault, tooManyRequests } from './oauth-fault.ts';
import type { PassportStores } from './options.ts';
import type { AuthenticatedBy, Pepper } from './pepper.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { RevocationIndex } from './revocation-index.ts';
import type { AgentRecord, PassportRecord } from './store.ts';

const SHOWN_CHARS = 140;

export interface IssuingOptions {
  readonly tenant: string;
  readonly directory: AgentDirectory;
  readonly revocations: RevocationIndex;
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly pepper: Pepper;
  readonly limiter: RateLimiter;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
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
  readonly grant: string;
}

/** Whether, and with what, a passport is issued to an authenticated agent. */
export class Issuing {
  readonly #o: IssuingOptions;

  constructor(o: IssuingOptions) {
    this.#o = o;
  }

  /**
   * Lets an authenticated agent in and answers the scopes that its passport gets: those it asks for, or all
   * that it may have. Throws OAuthFault: invalid_client, invalid_scope, too many requests.
   */
  async admit(clientId: string, requested: string | undefined): Promise<readonly string[]> {
    const { limiter, clock, directory } = this.#o;
    const wait = limiter.take(clientId, clock.now());
    if (wait > 0) throw tooManyRequests(wait);
    const agent = await directory.find(clientId);
    if (agent?.status !== 'active') throw new OAuthFault('invalid_client', 'client authentication failed');
    await this.#leaveRevokedSecond(agent);
    const grantable = agent.scopes.filter((scope) => scope !== INTROSPECT_SCOPE);
    if (requested === undefined || requested === '') return grantable;
    const scopes = [...new Set(requested.split(' '))];
    const refused = scopes.find((scope) => !grantable.includes(scope));
    if (refused !== undefined) {
      // The text is the client's own; a part of it is enough to find the fault.
      const shown = refused.slice(0, SHOWN_CHARS);
      throw new OAuthFault('invalid_scope', `the scope ${shown} is not registered for this client`);
    }
    return scopes;
  }

  /**
   * Records the passport, durably and in the log, and answers the claims that are ours to add. What is not
   * recorded is not issued. Throws OAuthFault.
   */
  async issue(draft: PassportDraft, { agent, by }: Authenticated): Promise<JsonObject> {
    const { tenant, directory, pepper, unitOfWork, audit } = this.#o;
    const subject: Subject = {
      tenant,
      agentId: agent.id,
      owner: agent.owner,
      user: null,
      sid: pepper.sessionOf(agent, by),
      chain: [newId('hop', this.#o.clock.now())],
    };
    // Sortable by time, as our other ids are: those of one second are listed in their order.
    const record = recordOf(draft, subject, newId('jti', this.#o.clock.now()));
    this.#assertNotRevoked(subject, record);
    await unitOfWork.run(async (stores) => {
      const stored = await stores.agents.get(tenant, agent.id);
      // Any change since the agent authenticated may have taken the right to it away.
      if (stored?.status !== 'active' || stored.revision !== agent.revision) {
        if (stored !== null) directory.put(stored);
        throw refused('the client was changed meanwhile');
      }
      await stores.passports.insert(record);
    });
    await audit(issuedEvent(record, this.#o.clock.now()));
    this.#assertNotRevoked(subject, record);
    const { sid, owner, chain } = subject;
    return {
      jti: record.jti,
      sid,
      owner,
      chain,
      ...(agent.purpose === null ? {} : { purpose: agent.purpose }),
    };
  }

  /**
   * `iat` counts whole seconds, so a passport from the second in which its agent was revoked (and released)
   * can't be told from the revoked ones. Issuing waits until that second is over.
   */
  async #leaveRevokedSecond(agent: AgentRecord): Promise<void> {
    const { tenant, revocations, clock } = this.#o;
    const subject = { tenant, agentId: agent.id, owner: agent.owner, user: null };
    const revokedAt = revocations.lastMoment(subject);
    if (revokedAt === null) return;
    const over = (Math.floor(revokedAt / 1000) + 1) * 1000 - clock.now();
    if (over > 0) await pause(Math.min(over, 1000));
  }

  #assertNotRevoked(subject: Subject, { jti, issuedAt }: PassportRecord): void {
    const kind = this.#o.revocations.find({ subject, jti, issuedAt });
    if (kind !== null) throw refused(`the ${kind} was revoked`);
  }
}

function refused(why: string): OAuthFault {
  return new OAuthFault('invalid_grant', `no passport is issued: ${why}`);
}

function recordOf(draft: PassportDraft, subject: Subject, jti: string): PassportRecord {
  const { scope, audience, jkt, grant, iat, exp } = draft;
  return { ...subject, jti, scope, audience, jkt, grant, issuedAt: iat * 1000, expiresAt: exp * 1000 };
}

function issuedEvent({ tenant, issuedAt: _, ...data }: PassportRecord, at: number): AuditEvent {
  return { type: 'passport.issued', tenant, at, data };
}
