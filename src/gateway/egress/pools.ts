import { formatOrigin } from '../../core/index.ts';
import type { Dial } from './connector.ts';
import type { PinnedDestination } from './destination.ts';
import { PinnedAgent } from './pinned-agent.ts';

/** Everything that two calls must share before they may share a connection (rule 6 of docs/guarantees.md). */
export interface PoolKey {
  readonly tenant: string;
  readonly service: string;
  readonly destination: PinnedDestination;
  readonly credential: { readonly name: string; readonly version: number } | null;
  readonly upstreamCa: string | null;
}

export interface PoolsOptions {
  readonly dial: Dial;
  /** Connections to one destination with one credential. */
  readonly connections?: number;
  readonly connectTimeoutMs: number;
  /** How long a connection may stay open without a call. */
  readonly idleTimeoutMs?: number;
}

interface Entry {
  readonly agent: PinnedAgent;
  readonly tenant: string;
  readonly credential: string | null;
}

const MAX_POOLS = 512;

/**
 * Connections to upstreams. A connection that is reused skips look-up, check and handshake, so all of them are
 * given up whenever a policy, service, credential or revocation changes: `epoch` names that state.
 */
export class Pools {
  readonly #options: PoolsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #authorities = new Map<string, number>();
  #lastAuthority = 0;
  #epoch = '';

  constructor(options: PoolsOptions) {
    this.#options = options;
  }

  /** The pool for these calls, as of `epoch`: pools of an older one take no more calls. */
  of(key: PoolKey, epoch: string): PinnedAgent {
    if (epoch !== this.#epoch) {
      this.retire();
      this.#epoch = epoch;
    }
    const { tenant, service, destination, credential, upstreamCa } = key;
    const id = JSON.stringify([
      tenant,
      service,
      formatOrigin(destination.origin),
      destination.key,
      credential?.name ?? null,
      credential?.version ?? null,
      this.#numberOf(upstreamCa),
    ]);
    const known = this.#entries.get(id);
    if (known !== undefined) return known.agent;
    if (this.#entries.size >= MAX_POOLS) this.retire();
    const agent = this.#open(destination, upstreamCa);
    this.#entries.set(id, { agent, tenant, credential: credential?.name ?? null });
    return agent;
  }

  /** Certificates are long; a number that stands for the same text keeps the key short. */
  #numberOf(upstreamCa: string | null): number | null {
    if (upstreamCa === null) return null;
    const known = this.#authorities.get(upstreamCa);
    if (known !== undefined) return known;
    this.#lastAuthority += 1;
    this.#authorities.set(upstreamCa, this.#lastAuthority);
    return this.#lastAuthority;
  }

  /** Calls in flight go on; no later call uses these connections. */
  retire(): void {
    for (const { agent } of this.#entries.values()) agent.retire();
    this.#entries.clear();
    // Numbers are never given again: a pool of before can't be taken for another's.
    this.#authorities.clear();
  }

  /** Cuts everything that a credential opened. */
  destroyOf(tenant: string, credential: string): void {
    for (const [id, entry] of this.#entries) {
      if (entry.tenant !== tenant || entry.credential !== credential) continue;
      this.#entries.delete(id);
      entry.agent.destroy();
    }
  }

  close(): void {
    for (const { agent } of this.#entries.values()) agent.destroy();
    this.#entries.clear();
  }

  #open(destination: PinnedDestination, upstreamCa: string | null): PinnedAgent {
    const { connectTimeoutMs, dial } = this.#options;
    return new PinnedAgent(
      { destination, upstreamCa, dial, connectTimeoutMs },
      {
        maxSockets: this.#options.connections ?? 256,
        maxFreeSockets: 64,
        // Shorter than what servers commonly keep: a connection that they close is not picked.
        idleTimeoutMs: this.#options.idleTimeoutMs ?? 4_000,
      },
    );
  }
}
