import { Habits } from './habits.ts';
import type { BaselineStore } from './store.ts';

/** What an agent has done before. */
export interface Known {
  /** Destinations with the time of first use (ms). */
  readonly destinations: Map<string, number>;
  readonly habits: Habits;
}

/** Agents of which it is kept in memory. */
const MAX_AGENTS = 5_000;
/** Destinations that are kept for an agent; an agent with more of them has no habits to break. */
const MAX_DESTINATIONS = 1_000;

interface Named {
  readonly tenant: string;
  readonly agentId: string;
}

/** What agents have done before, out of the store once and then in memory. */
export class Baselines {
  readonly #store: BaselineStore;
  readonly #onFault: (fault: unknown) => void;
  readonly #now: () => number;
  readonly #agents = new Map<string, Known | Promise<Known>>();
  readonly #writes = new Set<Promise<void>>();

  constructor(o: {
    readonly store: BaselineStore;
    readonly now: () => number;
    readonly onFault: (fault: unknown) => void;
  }) {
    this.#store = o.store;
    this.#now = o.now;
    this.#onFault = o.onFault;
  }

  /** At once for an agent that is in memory: most calls wait for nothing. */
  of(tenant: string, agentId: string): Known | Promise<Known> {
    const key = `${tenant}\n${agentId}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const loading = this.#load(key, { tenant, agentId });
    // What could not be read is asked for again by the next call.
    loading.catch(() => this.#agents.delete(key));
    this.#agents.set(key, loading);
    if (this.#agents.size > MAX_AGENTS) this.#dropOldest();
    return loading;
  }

  async #load(key: string, { tenant, agentId }: Named): Promise<Known> {
    const [destinations, habits] = await Promise.all([
      this.#store.destinations(tenant, agentId),
      this.#store.habits(tenant, agentId),
    ]);
    const known = { destinations: new Map(destinations), habits: Habits.read(habits, this.#now()) };
    if (this.#agents.has(key)) this.#agents.set(key, known);
    return known;
  }

  /** Counts a call; the call does not wait for the store. */
  take(
    { habits }: Known,
    call: Named & { readonly bytesOut: number; readonly credential: string | null; readonly at: number },
  ): void {
    if (!habits.take(call, call.at)) return;
    const { tenant, agentId, at } = call;
    this.#write(this.#store.putHabits({ tenant, agentId, habits: habits.write(), at }));
  }

  /** Remembers a first use; the call does not wait for the store. */
  learn({ destinations }: Known, use: Named & { readonly destination: string; readonly at: number }): void {
    if (destinations.has(use.destination) || destinations.size >= MAX_DESTINATIONS) return;
    destinations.set(use.destination, use.at);
    this.#write(this.#store.addDestination(use));
  }

  #write(work: Promise<void>): void {
    const write = work.catch(this.#onFault);
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
