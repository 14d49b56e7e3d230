import type { BaselineStore } from './store.ts';

/** Destinations with the time of first use (ms). */
export type Known = Map<string, number>;

/** Agents whose destinations are kept in memory. */
const MAX_AGENTS = 5_000;
/** Destinations that are kept for an agent; an agent with more of them has no habits to break. */
const MAX_DESTINATIONS = 1_000;

/** Which destinations an agent has used, out of the store once and then in memory. */
export class Baselines {
  readonly #store: BaselineStore;
  readonly #onFault: (fault: unknown) => void;
  readonly #agents = new Map<string, Known | Promise<Known>>();
  readonly #writes = new Set<Promise<void>>();

  constructor(store: BaselineStore, onFault: (fault: unknown) => void) {
    this.#store = store;
    this.#onFault = onFault;
  }

  /** At once for an agent that is in memory: most calls wait for nothing. */
  of(tenant: string, agentId: string): Known | Promise<Known> {
    const key = `${tenant}\n${agentId}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const loading = this.#load(key, tenant, agentId);
    // What could not be read is asked for again by the next call.
    loading.catch(() => this.#agents.delete(key));
    this.#agents.set(key, loading);
    if (this.#agents.size > MAX_AGENTS) this.#dropOldest();
    return loading;
  }

  async #load(key: string, tenant: string, agentId: string): Promise<Known> {
    const known = new Map(await this.#store.destinations(tenant, agentId));
    if (this.#agents.has(key)) this.#agents.set(key, known);
    return known;
  }

  /** Remembers a first use; the call does not wait for the store. */
  learn(
    known: Known,
    use: {
      readonly tenant: string;
      readonly agentId: string;
      readonly destination: string;
      readonly at: number;
    },
  ): void {
    if (known.has(use.destination) || known.size >= MAX_DESTINATIONS) return;
    known.set(use.destination, use.at);
    const write = this.#store.addDestination(use).catch(this.#onFault);
    this.#writes.add(write);
    void write.finally(() => this.#writes.delete(write));
  }

  async flush(): Promise<void> {
    await Promise.all(this.#writes);
  }

  #dropOldest(): void {
    for (const key of this.#agents.keys()) {
      this.#agents.delete(key);
      return;
    }
  }
}
