import { setTimeout as pause } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { Client } from 'pg';
import type { Schema } from '../schema.ts';
import { type Change, type ChangeFeed, changeSchema, type Follower, tellAll } from './change.ts';

const CHANNEL = 'sallyport_changes';
/** A connection can die without a word; asking every so often bounds how long a revocation can be missed. */
const HEARTBEAT_MS = 2_000;
const HEARTBEAT_TIMEOUT_MS = 2_000;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_LAST_MS = 3_000;

/**
 * LISTEN/NOTIFY on one connection of its own. PostgreSQL delivers a notification when its transaction has
 * committed, and never for one that rolled back. What was sent while the connection was away is lost: after
 * each reconnection the followers are told to read everything again.
 */
export class PostgresFeed implements ChangeFeed {
  readonly #connect: () => Client;
  readonly #onFault: (fault: unknown) => void;
  readonly #followers = new Set<Follower>();
  readonly #closed = new AbortController();
  #client: Promise<Client> | null = null;
  #recovery: Promise<void> | null = null;

  constructor(connect: () => Client, onFault: (fault: unknown) => void) {
    this.#connect = connect;
    this.#onFault = onFault;
  }

  async announce(transaction: Kysely<Schema>, change: Change): Promise<void> {
    await sql`select pg_notify(${CHANNEL}, ${JSON.stringify(change)})`.execute(transaction);
  }

  /** PostgreSQL tells us too. */
  committed(): void {}

  async follow(follower: Follower): Promise<{ stop(): Promise<void> }> {
    if (this.#closed.signal.aborted) throw new TypeError('this storage was closed');
    this.#followers.add(follower);
    try {
      await this.#recovery;
      this.#client ??= this.#listen();
      await this.#client;
    } catch (cause) {
      this.#followers.delete(follower);
      this.#client = null;
      throw cause;
    }
    return {
      stop: async () => {
        this.#followers.delete(follower);
      },
    };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#followers.clear();
    await this.#recovery;
    const client = await this.#client?.catch(() => null);
    await client?.end();
  }

  /** Connects and listens, then watches the connection until it dies. */
  async #listen(): Promise<Client> {
    const client = this.#connect();
    const dead = new AbortController();
    const lose = (fault: unknown) => {
      if (dead.signal.aborted) return;
      dead.abort();
      this.#lost(client, fault);
    };
    let listening = false;
    // Without a listener, an error event would end the process.
    client.on('error', (fault) => {
      if (listening) lose(fault);
    });
    client.on('end', () => {
      if (listening) lose(new Error('the database closed the connection that listens for changes'));
    });
    client.on('notification', ({ payload }) => this.#deliver(payload));
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
    } catch (cause) {
      client.end().catch(() => {});
      throw cause;
    }
    listening = true;
    void this.#watch(client, dead.signal, lose);
    return client;
  }

  async #watch(client: Client, dead: AbortSignal, lose: (fault: unknown) => void): Promise<void> {
    const stop = AbortSignal.any([dead, this.#closed.signal]);
    try {
      while (!stop.aborted) {
        await pause(HEARTBEAT_MS, undefined, { signal: stop, ref: false });
        const silence = pause(HEARTBEAT_TIMEOUT_MS, 'silence', { signal: stop, ref: false });
        const answer = await Promise.race([client.query('select 1'), silence]);
        if (answer === 'silence') throw new Error('the connection that listens for changes is silent');
      }
    } catch (fault) {
      if (!stop.aborted) lose(fault);
    }
  }

  #lost(client: Client, fault: unknown): void {
    client.end().catch(() => {});
    if (this.#closed.signal.aborted) return;
    this.#onFault(fault);
    this.#client = null;
    this.#recovery = this.#reconnect().finally(() => {
      this.#recovery = null;
    });
  }

  async #reconnect(): Promise<void> {
    let delayMs = BACKOFF_FIRST_MS;
    while (!this.#closed.signal.aborted) {
      try {
        await pause(delayMs, undefined, { signal: this.#closed.signal, ref: false });
        const client = await this.#listen();
        this.#client = Promise.resolve(client);
        tellAll(this.#followers, (follower) => follower.onGap(), this.#onFault);
        return;
      } catch (fault) {
        if (!this.#closed.signal.aborted) this.#onFault(fault);
      }
      delayMs = Math.min(delayMs * 2, BACKOFF_LAST_MS);
    }
  }

  #deliver(payload: string | undefined): void {
    const change = parseChange(payload);
    if (change === null) {
      // A newer node may say what we don't know: reading everything again is always right.
      this.#onFault(new Error('a change was announced in words that this version does not know'));
      tellAll(this.#followers, (follower) => follower.onGap(), this.#onFault);
    } else {
      tellAll(this.#followers, (follower) => follower.onChange(change), this.#onFault);
    }
  }
}

function parseChange(payload: string | undefined): Change | null {
  try {
    return changeSchema.parse(JSON.parse(payload ?? ''));
  } catch {
    return null;
  }
}
