import type { ApprovalRecord } from '../approvals/index.ts';
import {
  type AuditEvent,
  type AuditEventType,
  type Clock,
  type JsonObject,
  newId,
  Refusal,
  type UnitOfWork,
} from '../core/index.ts';
import type { AgentDirectory } from './agent-directory.ts';
import type { PassportStores } from './options.ts';
import { grantEndedEvent } from './person-grants/events.ts';
import type { PersonGrantRecord } from './person-grants/store.ts';
import { endApprovals, endGrants } from './revocation-records.ts';
import { deniedEvent, type RevocationRoom, revokedEvent } from './revocations.ts';
import { LONGEST_LIFETIME_SECONDS } from './signing-keys.ts';
import type { AgentRecord, RevocationRecord } from './store.ts';

const ATTEMPTS = 4;

/** What a change makes of an agent, and how the log tells it. */
export interface Change {
  readonly agent: AgentRecord;
  readonly event: Extract<AuditEventType, `agent.${string}`>;
  readonly changes: JsonObject;
  /** Also end what was issued up to now. */
  readonly endsPassports: boolean;
  /** Also end what people let it do: it is sent away, or another one answers for it. */
  readonly endsGrants?: boolean;
  readonly reason?: string | null;
}

export interface AgentChangesOptions {
  readonly tenant: string;
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly directory: AgentDirectory;
  readonly revocations: RevocationRoom;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
}

/** Another writer was faster. */
class Overtaken extends Error {}

/** Makes a change of one agent durable, effective in memory and recorded, in this order. */
export class AgentChanges {
  readonly #o: AgentChangesOptions;

  constructor(o: AgentChangesOptions) {
    this.#o = o;
  }

  /** Reads, changes and writes in one transaction; another writer in between means another attempt. */
  async change(
    id: string,
    by: string,
    make: (agent: AgentRecord, stores: PassportStores) => Promise<Change>,
  ): Promise<AgentRecord> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const done = await this.#o.unitOfWork
        .run((stores) => this.#attempt(id, by, make, stores))
        .catch((fault: unknown) => {
          if (fault instanceof Overtaken) return null;
          throw fault;
        });
      if (done === null) continue;
      const { agent, change, revocation, approvals, grants } = done;
      this.#o.directory.put(agent);
      if (revocation !== null) this.#o.revocations.apply(revocation);
      await this.record(change.event, agent, by, change.changes);
      if (revocation !== null) await this.#o.audit(revokedEvent(revocation));
      for (const approval of approvals) await this.#o.audit(deniedEvent(approval));
      for (const grant of grants) await this.#o.audit(grantEndedEvent(grant));
      return agent;
    }
    throw new Refusal('conflict', { detail: 'The agent is being changed by others; try again.' });
  }

  async #attempt(
    id: string,
    by: string,
    make: (agent: AgentRecord, stores: PassportStores) => Promise<Change>,
    stores: PassportStores,
  ): Promise<{
    agent: AgentRecord;
    change: Change;
    revocation: RevocationRecord | null;
    approvals: readonly ApprovalRecord[];
    grants: readonly PersonGrantRecord[];
  }> {
    const { tenant, clock } = this.#o;
    const found = await stores.agents.get(tenant, id);
    if (found === null || found.status === 'deleted') {
      throw new Refusal('not_found', { detail: 'No agent has this id.' });
    }
    const change = await make(found, stores);
    const now = clock.now();
    const agent: AgentRecord = { ...change.agent, updatedAt: now, revision: found.revision + 1 };
    // Thrown, so that what `make` wrote beside it is undone as well.
    if (!(await stores.agents.update(agent))) throw new Overtaken();
    if (!change.endsPassports) return { agent, change, revocation: null, approvals: [], grants: [] };
    const revocation: RevocationRecord = {
      tenant,
      id: newId('revocation', now),
      kind: 'agent',
      value: id,
      revokedAt: now,
      expiresAt: now + (LONGEST_LIFETIME_SECONDS + 60) * 1000,
      by,
      reason: change.reason ?? change.event,
    };
    await stores.revocations.insert(revocation);
    const approvals = await endApprovals([revocation], stores);
    const grants = change.endsGrants === true ? await endGrants([revocation], stores) : [];
    return { agent, change, revocation, approvals, grants };
  }

  async record(type: Change['event'], agent: AgentRecord, by: string, changes: JsonObject): Promise<void> {
    await this.#o.audit({
      type,
      tenant: agent.tenant,
      at: agent.updatedAt,
      data: { id: agent.id, by, changes },
    });
  }
}
