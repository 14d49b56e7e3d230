import type { Clock } from '../core/index.ts';
import type { AgentRecord, AgentStore } from './store.ts';

/** How long a record is taken as it is; a change on another node is seen this late at worst. */
const FRESH_MS = 10_000;
const ENTRIES = 10_000;

interface Entry {
  readonly agent: AgentRecord;
  readonly readAt: number;
}

/** Agents in memory: current at once after a change on this node or a revocation from any. */
export class AgentDirectory {
  readonly #entries = new Map<string, Entry>();
  readonly #tenant: string;
  readonly #store: AgentStore;
  readonly #clock: Clock;

  constructor(o: { readonly tenant: string; readonly store: AgentStore; readonly clock: Clock }) {
    this.#tenant = o.tenant;
    this.#store = o.store;
    this.#clock = o.clock;
  }

  /** What is known in memory, however old. */
  known(id: string): AgentRecord | null {
    return this.#entries.get(id)?.agent ?? null;
  }

  /** A record that is at most 10 seconds old; null for an unknown id (which is not remembered: anybody can ask). */
  async find(id: string): Promise<AgentRecord | null> {
    const entry = this.#entries.get(id);
    if (entry !== undefined && this.#clock.now() - entry.readAt < FRESH_MS) return entry.agent;
    return this.refresh(id);
  }

  async refresh(id: string): Promise<AgentRecord | null> {
    const agent = await this.#store.get(this.#tenant, id);
    return agent === null ? null : this.put(agent);
  }

  /** Remembers a record unless a later revision is known already: a slow read must not undo a change. */
  put(agent: AgentRecord): AgentRecord {
    const known = this.known(agent.id);
    const newest = known !== null && known.revision > agent.revision ? known : agent;
    this.#entries.delete(agent.id);
    this.#entries.set(agent.id, { agent: newest, readAt: this.#clock.now() });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
    return newest;
  }
}
