import {
  type AuditEvent,
  type Clock,
  newId,
  Refusal,
  type RevocationKind,
  type UnitOfWork,
} from '../core/index.ts';
import type { AgentDirectory } from './agent-directory.ts';
import type { PassportStores } from './options.ts';
import { quarantineAll } from './quarantine.ts';
import { matches, type RevocationIndex } from './revocation-index.ts';
import { LONGEST_LIFETIME_SECONDS } from './signing-keys.ts';
import type { AgentRecord, RevocationRecord, RevocationStore } from './store.ts';
import type { VerifiedPassport } from './verified-passport.ts';

export interface RevocationRequest {
  readonly tenant: string;
  readonly kind: RevocationKind;
  /** jti, hop id, sid, agent id, owner or user. */
  readonly value: string;
  readonly by: string;
  readonly reason: string | null;
}

export interface Revocations {
  /**
   * Durable, effective and audited when it resolves. An agent and an owner also lose the right to new
   * passports (their agents are quarantined until released). Throws Refusal: not_found, input_invalid,
   * audit_unavailable (then it holds all the same).
   */
  revoke(request: RevocationRequest): Promise<RevocationRecord>;
  /** Calls the listener for each new revocation of any node; returns how to stop. */
  onRevoked(listener: (matches: (passport: VerifiedPassport) => boolean) => void): () => void;
  list(page: { readonly after: string | null; readonly limit: number }): Promise<RevocationRecord[]>;
}

const VALUE_CHARS = 512;
const RETRY_MS = 1000;
const ATTEMPTS = 5;

interface Written {
  readonly record: RevocationRecord;
  /** Those that were quarantined with it. */
  readonly agents: readonly AgentRecord[];
}

export interface RevocationRoomOptions {
  readonly tenant: string;
  readonly store: RevocationStore;
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly index: RevocationIndex;
  readonly directory: AgentDirectory;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly onFault: (fault: unknown) => void;
}

export class RevocationRoom implements Revocations {
  readonly #o: RevocationRoomOptions;
  readonly #listeners = new Set<(matches: (passport: VerifiedPassport) => boolean) => void>();
  #stopFollowing: (() => Promise<void>) | null = null;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(o: RevocationRoomOptions) {
    this.#o = o;
  }

  /** Listens first and reads then, so that nothing falls between. */
  async open(): Promise<void> {
    const following = await this.#o.store.follow(
      (record) => this.apply(record),
      () => void this.#resync(),
    );
    this.#stopFollowing = () => following.stop();
    for (const record of await this.#o.store.all(this.#o.clock.now())) this.#o.index.apply(record);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#listeners.clear();
    await this.#stopFollowing?.();
  }

  async revoke(request: RevocationRequest): Promise<RevocationRecord> {
    if (request.value.length === 0 || request.value.length > VALUE_CHARS) {
      throw new Refusal('input_invalid', { detail: `The value has 1 to ${VALUE_CHARS} characters.` });
    }
    const done = await this.#write(request);
    for (const agent of done.agents) this.#o.directory.put(agent);
    this.apply(done.record);
    await this.#o.audit(revokedEvent(done.record));
    for (const { tenant, id, updatedAt } of done.agents) {
      const changes = { status: 'quarantined', revocationId: done.record.id };
      const data = { id, by: request.by, changes };
      await this.#o.audit({ type: 'agent.quarantined', tenant, at: updatedAt, data });
    }
    return done.record;
  }

  onRevoked(listener: (matches: (passport: VerifiedPassport) => boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  list(page: { readonly after: string | null; readonly limit: number }): Promise<RevocationRecord[]> {
    return this.#o.store.list(this.#o.tenant, page);
  }

  /** Makes a durable revocation effective in memory and tells the listeners, unless it is known. */
  apply(record: RevocationRecord): void {
    if (!this.#o.index.apply(record)) return;
    if (record.kind === 'agent' && record.tenant === this.#o.tenant) {
      // Another node may have quarantined the agent; the revocation holds already, its status says why.
      this.#o.directory.refresh(record.value).catch(this.#o.onFault);
    }
    for (const listener of this.#listeners) {
      try {
        listener((passport) => matches(record, passport));
      } catch (fault) {
        this.#o.onFault(fault);
      }
    }
  }

  /** Again while agents are changed by others in between: a revocation must not fail for that. */
  async #write(request: RevocationRequest, attempt = 1): Promise<Written> {
    try {
      return await this.#o.unitOfWork.run(async (stores) => {
        const record = await this.#record(request, stores);
        await stores.revocations.insert(record);
        return { record, agents: await quarantineAll(record, stores) };
      });
    } catch (fault) {
      const conflict = fault instanceof Refusal && fault.code === 'conflict';
      if (!conflict || attempt === ATTEMPTS) throw fault;
      return this.#write(request, attempt + 1);
    }
  }

  /** After a lost connection: everything is read again, until it succeeds. */
  async #resync(): Promise<void> {
    try {
      for (const record of await this.#o.store.all(this.#o.clock.now())) this.apply(record);
    } catch (fault) {
      this.#o.onFault(fault);
      if (this.#closed) return;
      this.#retry = setTimeout(() => void this.#resync(), RETRY_MS);
      this.#retry.unref();
    }
  }

  async #record(request: RevocationRequest, stores: PassportStores): Promise<RevocationRecord> {
    const now = this.#o.clock.now();
    const { tenant, kind, value, by, reason } = request;
    const fields = { tenant, kind, value, by, reason, id: newId('revocation', now), revokedAt: now };
    const allExpired = now + (LONGEST_LIFETIME_SECONDS + 60) * 1000;
    switch (kind) {
      case 'token': {
        const passport = await stores.passports.get(tenant, value);
        if (passport === null) throw new Refusal('not_found', { detail: 'No passport has this jti.' });
        return { ...fields, expiresAt: Math.max(passport.expiresAt + 60_000, now) };
      }
      case 'agent':
        if ((await stores.agents.get(tenant, value)) === null) {
          throw new Refusal('not_found', { detail: 'No agent has this id.' });
        }
        return { ...fields, expiresAt: allExpired };
      case 'owner':
      case 'user':
      case 'hop':
        return { ...fields, expiresAt: allExpired };
      case 'session':
        // A session outlives its passports: the same key would open it again.
        return { ...fields, expiresAt: null };
    }
  }
}

export function revokedEvent(record: RevocationRecord): AuditEvent {
  const { tenant, id, kind, value, by, reason, revokedAt } = record;
  const data = { revocationId: id, kind, value, by, reason };
  return { type: 'passport.revoked', tenant, at: revokedAt, data };
}
