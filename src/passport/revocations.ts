import type { ApprovalRecord } from '../approvals/index.ts';
import { type AuditEvent, type Clock, Refusal, type UnitOfWork } from '../core/index.ts';
import type { AgentDirectory } from './agent-directory.ts';
import type { PassportStores } from './options.ts';
import type { Pepper } from './pepper.ts';
import { grantEndedEvent } from './person-grants/events.ts';
import { matches, type RevocationIndex } from './revocation-index.ts';
import { type RevocationRequest, type Written, writeRevocation } from './revocation-records.ts';
import type { RevocationRecord, RevocationStore } from './store.ts';
import type { VerifiedPassport } from './verified-passport.ts';

export interface Revocations {
  /**
   * Durable, effective and audited when it resolves, all of it in one transaction. An agent and an owner also
   * lose the right to new passports (their agents are quarantined until released); a credential leaves its
   * agent, a signing key the key set. Throws Refusal: not_found, input_invalid, audit_unavailable (then it holds
   * all the same).
   */
  revoke(request: RevocationRequest): Promise<RevocationRecord>;
  /** Calls the listener for each new revocation of any node; returns how to stop. */
  onRevoked(listener: (matches: (passport: VerifiedPassport) => boolean) => void): () => void;
  list(page: { readonly after: string | null; readonly limit: number }): Promise<RevocationRecord[]>;
}

const VALUE_CHARS = 512;
const RETRY_MS = 1000;
const ATTEMPTS = 5;

export interface RevocationRoomOptions {
  readonly tenant: string;
  readonly store: RevocationStore;
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly index: RevocationIndex;
  readonly directory: AgentDirectory;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly onFault: (fault: unknown) => void;
  readonly pepper: Pepper;
  readonly isSigningKey: (kid: string) => boolean;
  /** Takes the key out of the key set at once; another one signs from then on. */
  readonly dropSigningKey: (kid: string) => Promise<void>;
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
    for (const record of await this.#o.store.all(this.#o.clock.now())) {
      this.#o.index.apply(record);
      // The process may have died between the record and the key set.
      if (record.kind === 'key') await this.#o.dropSigningKey(record.value);
    }
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
    if (request.kind === 'key' && !this.#o.isSigningKey(request.value)) {
      throw new Refusal('not_found', { detail: 'No signing key has this kid.' });
    }
    const { records, agents, approvals, grants } = await this.#write(request);
    for (const agent of agents) this.#o.directory.put(agent);
    for (const record of records) this.apply(record);
    if (request.kind === 'key') await this.#o.dropSigningKey(request.value);
    for (const record of records) await this.#o.audit(revokedEvent(record));
    const [first] = records;
    for (const { tenant, id, status, updatedAt } of agents) {
      const changes = {
        revocationId: first.id,
        ...(status === 'quarantined' ? { status } : { credential: 'removed' }),
      };
      const type = status === 'quarantined' ? 'agent.quarantined' : 'agent.updated';
      await this.#o.audit({ type, tenant, at: updatedAt, data: { id, by: request.by, changes } });
    }
    for (const approval of approvals) await this.#o.audit(deniedEvent(approval));
    for (const grant of grants) await this.#o.audit(grantEndedEvent(grant));
    return first;
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
    // A node with a key folder of its own has to take the key out of it as well.
    if (record.kind === 'key') this.#o.dropSigningKey(record.value).catch(this.#o.onFault);
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
      const { pepper, clock } = this.#o;
      return await this.#o.unitOfWork.run((stores) =>
        writeRevocation(request, { stores, pepper, now: clock.now() }),
      );
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
}

export function deniedEvent(record: ApprovalRecord): AuditEvent {
  const { tenant, id, callDigest, decidedBy, sid, reason, decidedAt } = record;
  const data = { approvalId: id, callDigest, by: decidedBy ?? '', sid, reason };
  return { type: 'approval.denied', tenant, at: decidedAt ?? 0, data };
}

export function revokedEvent(record: RevocationRecord): AuditEvent {
  const { tenant, id, kind, value, by, reason, revokedAt } = record;
  const data = { revocationId: id, kind, value, by, reason };
  return { type: 'passport.revoked', tenant, at: revokedAt, data };
}
