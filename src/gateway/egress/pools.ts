import { Pool } from 'undici';
import { formatOrigin, LIMITS } from '../../core/index.ts';
import { pinnedConnector } from './connector.ts';
import type { PinnedDestination } from './destination.ts';

/** Everything that two calls must share before they may share a connection (DESIGN rule 6). */
export interface PoolKey {
  readonly tenant: string;
  readonly service: string;
  readonly destination: PinnedDestination;
  readonly credential: { readonly name: string; readonly version: number } | null;
  readonly upstreamCa: string | null;
}

export interface PoolsOptions {
  /** Connections to one destination with one credential. */
  readonly connections?: number;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** How long a connection may stay open without a call. */
  readonly idleTimeoutMs?: number;
}

interface Entry {
  readonly pool: Pool;
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
  #epoch = '';

  constructor(options: PoolsOptions) {
    this.#options = options;
  }

  /** The pool for these calls, as of `epoch`: pools of an older one take no more calls. */
  of(key: PoolKey, epoch: string): Pool {
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
      upstreamCa,
    ]);
    const known = this.#entries.get(id);
    if (known !== undefined) return known.pool;
    if (this.#entries.size >= MAX_POOLS) this.retire();
    const pool = this.#open(destination, upstreamCa);
    this.#entries.set(id, { pool, tenant, credential: credential?.name ?? null });
    return pool;
  }

  /** Calls in flight go on; no later call uses these connections. */
  retire(): void {
    for (const { pool } of this.#entries.values()) void pool.close().catch(ignore);
    this.#entries.clear();
  }

  /** Cuts everything that a credential opened. */
  destroyOf(tenant: string, credential: string, reason: Error): void {
    for (const [id, entry] of this.#entries) {
      if (entry.tenant !== tenant || entry.credential !== credential) continue;
      this.#entries.delete(id);
      void entry.pool.destroy(reason).catch(ignore);
    }
  }

  async close(): Promise<void> {
    const pools = [...this.#entries.values()].map(({ pool }) => pool.destroy().catch(ignore));
    this.#entries.clear();
    await Promise.all(pools);
  }

  #open(destination: PinnedDestination, upstreamCa: string | null): Pool {
    const { connectTimeoutMs, headersTimeoutMs, bodyTimeoutMs } = this.#options;
    return new Pool(formatOrigin(destination.origin), {
      connect: pinnedConnector({ destination, upstreamCa, connectTimeoutMs }),
      connections: this.#options.connections ?? 128,
      // One request at a time on a connection: an answer that nobody asked for can't become another call's.
      pipelining: 1,
      allowH2: false,
      headersTimeout: headersTimeoutMs,
      bodyTimeout: bodyTimeoutMs,
      keepAliveTimeout: this.#options.idleTimeoutMs ?? 10_000,
      keepAliveMaxTimeout: 60_000,
      maxHeaderSize: LIMITS.headBytes,
      strictContentLength: true,
    });
  }
}

function ignore(): void {
  // The pool is gone either way.
}
