import { type AuditEvent, type Clock, type JsonObject, Refusal } from '../../core/index.ts';
import { askedFromJson } from '../grants/asked-grant.ts';
import { OAuthFault, tooManyRequests } from '../oauth-fault.ts';
import type { Revocations } from '../revocations.ts';
import { reuseAlert } from './events.ts';
import { isRefreshToken, type RefreshTokens } from './refresh-token.ts';
import type { PersonGrantRecord, PersonGrantStore } from './store.ts';

const ISSUER = 'the issuer';

/** What a person let an agent do, as people and administrators see it. */
export interface PersonGrantView {
  readonly id: string;
  readonly userId: string;
  readonly agentId: string;
  readonly origin: PersonGrantRecord['origin'];
  readonly scopes: readonly string[];
  readonly details: readonly JsonObject[];
  readonly audience: string;
  readonly sid: string;
  /** First hop of its passports. */
  readonly hop: string;
  readonly status: 'live' | 'ended';
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usedAt: number | null;
  readonly endedAt: number | null;
  readonly endedBy: string | null;
  readonly endReason: string | null;
}

/** What people let agents do in their name. */
export interface PersonGrants {
  /** Newest first. */
  list(filter: {
    readonly userId?: string;
    readonly agentId?: string;
    readonly liveOnly: boolean;
    readonly after: string | null;
    readonly limit: number;
  }): Promise<PersonGrantView[]>;
  get(id: string): Promise<PersonGrantView | null>;
  /** It and its passports are over when this resolves. Throws Refusal('not_found') where there is none that is live. */
  end(id: string, by: string, reason: string | null): Promise<PersonGrantView>;
}

export interface PersonGrantRoomOptions {
  readonly tenant: string;
  readonly store: PersonGrantStore;
  readonly revocations: Revocations;
  readonly refreshTokens: RefreshTokens;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  /** The milliseconds that a client has to wait, or 0. */
  readonly limit: (clientId: string) => number;
}

export class PersonGrantRoom implements PersonGrants {
  readonly #o: PersonGrantRoomOptions;

  constructor(o: PersonGrantRoomOptions) {
    this.#o = o;
  }

  async list({ liveOnly, ...filter }: Parameters<PersonGrants['list']>[0]): Promise<PersonGrantView[]> {
    const { tenant, store, clock } = this.#o;
    const now = clock.now();
    const found = await store.list(tenant, { ...filter, ...(liveOnly ? { liveAt: now } : {}) });
    return found.map((grant) => viewOf(grant, now));
  }

  async get(id: string): Promise<PersonGrantView | null> {
    const { tenant, store, clock } = this.#o;
    const found = await store.get(tenant, id);
    return found === null ? null : viewOf(found, clock.now());
  }

  async end(id: string, by: string, reason: string | null): Promise<PersonGrantView> {
    const found = await this.#o.store.get(this.#o.tenant, id);
    if (found === null || viewOf(found, this.#o.clock.now()).status === 'ended') {
      throw new Refusal('not_found', { detail: 'No live grant has this id.' });
    }
    await this.#endHop(found, by, reason);
    const ended = await this.get(id);
    if (ended === null) throw new Refusal('not_found', { detail: 'No grant has this id.' });
    return ended;
  }

  /** Something of it that is good once came again: it ends, and people are told. */
  async reused(grant: PersonGrantRecord, what: string): Promise<void> {
    if (grant.status === 'ended') return;
    const { audit, clock } = this.#o;
    await this.#endHop(grant, ISSUER, `the ${what} was used a second time`);
    await audit(reuseAlert(grant, what, clock.now()));
  }

  /**
   * Revocation by the client (RFC 7009 section 2.1): true when the token is a refresh token, of whom and how old ever.
   * Throws OAuthFault for one of another client.
   */
  async revokeToken(clientId: string, token: string): Promise<boolean> {
    if (!isRefreshToken(token)) return false;
    const { tenant, store, refreshTokens, limit } = this.#o;
    const wait = limit(clientId);
    if (wait > 0) throw tooManyRequests(wait);
    const shown = refreshTokens.read(token);
    const grant = shown === null ? null : await store.get(tenant, shown.grantId);
    if (grant === null) return true;
    if (grant.agentId !== clientId) {
      throw new OAuthFault('unauthorized_client', 'the token was issued to another client');
    }
    if (grant.status === 'active') await this.#endHop(grant, clientId, 'revoked by its client (RFC 7009)');
    return true;
  }

  async #endHop({ tenant, hop }: PersonGrantRecord, by: string, reason: string | null): Promise<void> {
    await this.#o.revocations.revoke({ tenant, kind: 'hop', value: hop, by, reason });
  }
}

function viewOf(grant: PersonGrantRecord, now: number): PersonGrantView {
  const { id, userId, agentId, origin, scope, audience, sid, hop, createdAt, expiresAt } = grant;
  const { usedAt, endedAt, endedBy, endReason } = grant;
  return {
    ...{
      id,
      userId,
      agentId,
      origin,
      audience,
      sid,
      hop,
      createdAt,
      expiresAt,
      usedAt,
      endedAt,
      endedBy,
      endReason,
    },
    scopes: scope.split(' ').filter((one) => one !== ''),
    details: askedFromJson(grant.asked).details ?? [],
    status: grant.status === 'ended' || expiresAt <= now ? 'ended' : 'live',
  };
}
