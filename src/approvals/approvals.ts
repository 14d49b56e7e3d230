import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ApprovalChange,
  type AuditEvent,
  type Clock,
  type JsonObject,
  newId,
  Refusal,
  type Subject,
} from '../core/index.ts';
import { type ApprovalBinding, approvalDigest } from './digest.ts';
import type { ApprovalFilter, ApprovalRecord, ApprovalStore } from './store.ts';
import { UsedApproval } from './used-approval.ts';

/**
 * From the approval on, the agent may use it for so long: enough for an agent that waits or asks again, and an end
 * to a yes that nobody came back for.
 */
const USE_MS = 5 * 60 * 1000;

/** A decision made on another node is seen after this time at the latest. */
const POLL_MS = 500;

export interface ApprovalsOptions {
  readonly store: ApprovalStore;
  readonly clock: Clock;
  /** Resolves when the record is durable. */
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  /** From the request on, how long a person may decide, and how long a denial lasts (ms). */
  readonly lifetimeMs: number;
}

/** Who answers. */
interface Approver {
  /** As records name them. */
  readonly by: string;
  /** The id of their token or account: two of it are two people, as far as the gate can tell. Absent: `by`. */
  readonly principal?: string;
  /** Since when there is this token or account (ms); one that is younger than the question is no second person. */
  readonly since?: number;
}

interface Answer extends Approver {
  readonly tenant: string;
  readonly id: string;
  readonly status: 'approved' | 'denied';
  readonly reason: string | null;
}

interface Question {
  readonly subject: Subject;
  readonly binding: ApprovalBinding;
  /** Who asks, for whom, why, what will be sent: what a person sees. Never a secret. */
  readonly shown: JsonObject;
  /** Shorter than usual. */
  readonly lifetimeMs?: number;
}

interface UseKey {
  readonly tenant: string;
  readonly id: string;
  readonly digest: string;
}

/** Held calls: asked for, decided by a person, used once for exactly the call that was shown. */
export class Approvals {
  readonly #options: ApprovalsOptions;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #listeners = new Set<(record: ApprovalRecord) => void>();
  #deciding: Promise<unknown> = Promise.resolve();

  constructor(options: ApprovalsOptions) {
    this.#options = options;
  }

  /** From the request on, how long a person may decide (ms). */
  get lifetimeMs(): number {
    return this.#options.lifetimeMs;
  }

  /** Asks for an approval; the same live call gets the one that is there already. */
  async request(o: Question): Promise<ApprovalRecord> {
    const wanted = this.draft(o);
    const record = await this.#options.store.insertOrGet(wanted, wanted.requestedAt);
    if (record.id === wanted.id) await this.recordRequest(record);
    return record;
  }

  /**
   * What `request` puts into the store: for a caller who does that in a transaction of his own, and calls
   * `recordRequest` once it is durable.
   */
  draft(o: Question): ApprovalRecord {
    const now = this.#options.clock.now();
    const { subject } = o;
    return {
      tenant: subject.tenant,
      id: newId('approval', now),
      callDigest: approvalDigest(o.binding),
      sid: subject.sid,
      agentId: subject.agentId,
      owner: subject.owner,
      user: subject.user,
      shown: o.shown,
      status: 'pending',
      requestedAt: now,
      expiresAt: now + Math.min(o.lifetimeMs ?? Number.POSITIVE_INFINITY, this.#options.lifetimeMs),
      decidedAt: null,
      decidedBy: null,
      reason: null,
      approversNeeded: o.binding.approvers ?? 1,
      first: null,
      chain: subject.chain,
    };
  }

  recordRequest(record: ApprovalRecord): Promise<void> {
    return this.#audit('approval.requested', record, record.agentId);
  }

  /** The live approval for this call, whatever its status; null: none. */
  find(key: {
    readonly tenant: string;
    readonly sid: string;
    readonly digest: string;
  }): Promise<ApprovalRecord | null> {
    return this.#options.store.findLive({ ...key, callDigest: key.digest }, this.#options.clock.now());
  }

  get(tenant: string, id: string): Promise<ApprovalRecord | null> {
    return this.#options.store.get(tenant, id);
  }

  list(tenant: string, filter: ApprovalFilter): Promise<readonly ApprovalRecord[]> {
    return this.#options.store.list(tenant, filter);
  }

  /** A person's answer. Throws Refusal not_found, approval_expired, conflict. */
  decide(o: Answer): Promise<ApprovalRecord> {
    // One after the other, so that of two people's answers the log holds the one that counts.
    const decided = this.#deciding.then(() => this.#decide(o));
    this.#deciding = decided.catch(() => {});
    return decided;
  }

  async #decide(o: Answer): Promise<ApprovalRecord> {
    const { store, clock } = this.#options;
    const now = clock.now();
    const asked = await store.get(o.tenant, o.id);
    if (asked === null)
      throw new Refusal('not_found', { detail: `There is no approval ${JSON.stringify(o.id)}.` });
    if (asked.status !== 'pending' || asked.expiresAt <= now) throw cannotDecide(asked, now);
    if (o.status === 'approved' && asked.approversNeeded === 2) {
      if (asked.first === null) return this.#decideFirst(asked, o, now);
      assertAnother(asked, o);
    }
    // On the record first: no yes is ever in force that the log does not know.
    const type = o.status === 'approved' ? 'approval.approved' : 'approval.denied';
    await this.#audit(type, { ...asked, reason: o.reason }, o.by);
    const end = o.status === 'approved' ? { expiresAt: now + USE_MS } : {};
    const { tenant, id, status, by, reason } = o;
    const after = o.status === 'approved' && asked.first !== null ? { after: asked.first } : {};
    const decided = await store.decide({ tenant, id, status, by, reason, ...end, ...after }, now);
    const record = (await store.get(o.tenant, o.id)) ?? asked;
    if (!decided) throw cannotDecide(record, now);
    this.#wake(o.id);
    this.#tell(record);
    return record;
  }

  /** The first yes of two: it stands in the log and opens nothing. */
  async #decideFirst(asked: ApprovalRecord, o: Answer, now: number): Promise<ApprovalRecord> {
    const { store } = this.#options;
    await this.#audit('approval.half_approved', { ...asked, reason: o.reason }, o.by);
    const first = { by: o.by, principal: principalOf(o), at: now };
    const decided = await store.decideFirst({ tenant: o.tenant, id: o.id, first }, now);
    const record = (await store.get(o.tenant, o.id)) ?? asked;
    if (!decided) throw cannotDecide(record, now);
    return record;
  }

  /** Calls the listener for each answer that is given at this node; returns how to stop. */
  onDecided(listener: (record: ApprovalRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Uses it up for this call, for exactly one caller. Throws Refusal approval_*. */
  async use(o: UseKey): Promise<UsedApproval> {
    const used = await this.useWithin(this.#options.store, o);
    await this.recordUse(o);
    return used;
  }

  /** As `use`, in the transaction that `store` is of; the caller calls `recordUse` once it is durable. */
  async useWithin(store: ApprovalStore, o: UseKey): Promise<UsedApproval> {
    const now = this.#options.clock.now();
    const used = await store.use({ tenant: o.tenant, id: o.id, callDigest: o.digest }, now);
    const record = await store.get(o.tenant, o.id);
    if (record === null)
      throw new Refusal('not_found', { detail: `There is no approval ${JSON.stringify(o.id)}.` });
    if (!used) throw cannotUse(record, o.digest, now);
    return new UsedApproval(record.id, record.callDigest);
  }

  /** What `useWithin` has used up, in the log. */
  async recordUse({ tenant, id }: UseKey): Promise<void> {
    const record = await this.#options.store.get(tenant, id);
    if (record !== null) await this.#audit('approval.used', record, record.agentId);
  }

  /** Resolves when a person decided, when it can no longer be decided, or after `timeoutMs`. */
  async wait(o: {
    readonly tenant: string;
    readonly id: string;
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
  }): Promise<ApprovalRecord> {
    const { store, clock } = this.#options;
    const until = clock.now() + o.timeoutMs;
    for (;;) {
      const record = await store.get(o.tenant, o.id);
      if (record === null)
        throw new Refusal('not_found', { detail: `There is no approval ${JSON.stringify(o.id)}.` });
      const now = clock.now();
      const over = record.status !== 'pending' || record.expiresAt <= now || now >= until;
      if (over || o.signal?.aborted === true) return record;
      await this.#pause(o.id, Math.min(POLL_MS, until - now), o.signal);
    }
  }

  /** Ends at a decision made here, after the time, or when the caller goes away. */
  async #pause(id: string, milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting.add(end));
    signal?.addEventListener('abort', end, { once: true });
    await sleep(milliseconds, undefined, { signal: ended.signal }).catch(() => {});
    signal?.removeEventListener('abort', end);
    waiting.delete(end);
    if (waiting.size === 0) this.#waiting.delete(id);
  }

  #tell(record: ApprovalRecord): void {
    for (const listener of this.#listeners) listener(record);
  }

  #wake(id: string): void {
    for (const end of this.#waiting.get(id) ?? []) end();
  }

  async #audit(
    type: `approval.${'requested' | 'half_approved' | 'approved' | 'denied' | 'used'}`,
    record: ApprovalRecord,
    by: string,
  ): Promise<void> {
    const { audit, clock } = this.#options;
    const data: ApprovalChange = {
      approvalId: record.id,
      callDigest: record.callDigest,
      by,
      sid: record.sid,
      reason: record.reason,
    };
    await audit({ type, tenant: record.tenant, at: clock.now(), data });
  }
}

function principalOf({ principal, by }: Approver): string {
  return principal ?? by;
}

/** Four eyes: the second yes is another person's, and not of a token that was made for it. */
function assertAnother({ first, requestedAt }: ApprovalRecord, o: Answer): void {
  if (first?.principal === principalOf(o)) {
    throw new Refusal('conflict', { detail: 'You approved it already; another person has to as well.' });
  }
  if (o.since !== undefined && o.since >= requestedAt) {
    throw new Refusal('conflict', {
      detail: 'The second yes must come from somebody who was there before the call was held.',
    });
  }
}

function cannotDecide(record: ApprovalRecord, now: number): Refusal {
  if (record.expiresAt <= now) return new Refusal('approval_expired', { detail: 'Nobody decided in time.' });
  if (record.status === 'pending')
    return new Refusal('conflict', { detail: 'Somebody else answered at the same moment; look again.' });
  return new Refusal('conflict', { detail: `The approval is ${record.status} already.` });
}

function cannotUse(record: ApprovalRecord, digest: string, now: number): Refusal {
  if (record.callDigest !== digest) return new Refusal('approval_mismatch');
  if (record.expiresAt <= now) return new Refusal('approval_expired');
  switch (record.status) {
    case 'pending':
      return new Refusal('approval_required', { extra: { approvalId: record.id } });
    case 'denied':
      return new Refusal('approval_denied');
    case 'approved':
    case 'used':
      return new Refusal('approval_expired', { detail: 'The approval was used.' });
  }
}
