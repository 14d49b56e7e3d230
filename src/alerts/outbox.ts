import { setTimeout as sleep } from 'node:timers/promises';
import { Courier, type CourierOptions } from './courier.ts';
import { Projector } from './projector.ts';
import { LONGEST_PAUSE_MS } from './schedule.ts';
import type { DeliveryRecord } from './store.ts';

/** Deliveries that are fetched at once, and attempts that one sink gets side by side. */
const BATCH = 64;
const PER_SINK = 4;
/** Sinks that are worked on side by side; the rest wait for a place. */
const MAX_BUSY_SINKS = 32;
const DEFAULT_IDLE_MS = 30_000;
/** Rest after a fault of ours (database, log). */
const FAULT_REST_MS = 5_000;
/** How long finished deliveries stay listed, and how often old ones are forgotten. */
const KEEP_FINISHED_MS = 30 * 24 * 60 * 60 * 1000;
const FORGET_EVERY_MS = 6 * 60 * 60 * 1000;
/** The cursor is kept after so many records without an alert, so that a restart need not read them again. */
const SAVE_CURSOR_EVERY = 4096;
/** How long `close` waits for attempts under way. A cut one is repeated after the restart, with the same id. */
const CLOSE_MS = 2_000;

export interface OutboxOptions extends CourierOptions {
  /** Told of faults of the gate itself (database, log); what goes wrong at receivers is in the deliveries. */
  readonly onFault?: (fault: unknown) => void;
  /** Longest sleep between two looks for due deliveries (the clock may be set); 30 seconds by default. */
  readonly idleMs?: number;
}

/**
 * Delivers alerts: a projection of the audit log with a durable cursor. At least once, with an id that stays the
 * same; in no particular order; a dead sink has its own lane and holds back no other. The agent waits for the
 * record alone, never for this.
 */
export class Outbox {
  readonly #o: OutboxOptions;
  readonly #idleMs: number;
  readonly #projector: Projector;
  readonly #courier: Courier;
  readonly #abort = new AbortController();
  /** Sinks with attempts under way, and sinks that rest after a fault of ours, until when. */
  readonly #busy = new Set<string>();
  readonly #resting = new Map<string, number>();
  readonly #work = new Set<Promise<void>>();
  #kick: (() => void) | null = null;
  #kicked = false;
  #running: Promise<unknown> | null = null;
  #forgotAt = 0;
  /** When it last looked for due deliveries, by a clock that may be set. */
  #lookedAt = 0;

  constructor(options: OutboxOptions) {
    this.#o = options;
    this.#idleMs = options.idleMs ?? DEFAULT_IDLE_MS;
    this.#courier = new Courier(options);
    this.#projector = new Projector({
      ...options,
      onProjected: (record) => {
        this.#courier.keep(record);
        this.#wake();
      },
    });
  }

  /** Goes on where the last run ended. Resolves when it is under way. */
  async start(): Promise<void> {
    if (this.#running !== null) throw new TypeError('the outbox was started already');
    const { log, outboxStore, clock } = this.#o;
    if ((await outboxStore.cursor(log.node)) > log.lastSequence) await this.#beginAnew();
    const now = clock.now();
    await outboxStore.pullForward(log.node, now + LONGEST_PAUSE_MS, now);
    this.#lookedAt = now;
    this.#running = Promise.all([
      this.#persist(() => this.#projector.run(this.#abort.signal)),
      this.#persist(() => this.#deliverAll()),
    ]);
  }

  /**
   * The log ends before what was projected of it: it was moved away, or restored from a backup. Its numbers now
   * stand for other records, whose alerts must not be taken for ones that were delivered.
   */
  async #beginAnew(): Promise<void> {
    const { log, outboxStore, clock, onFault } = this.#o;
    const reason = 'the audit log was begun anew, and its record is no longer there';
    for (;;) {
      const pending = await outboxStore.list(log.node, { status: 'pending', limit: BATCH });
      for (const delivery of pending) {
        const { alertId, sinkId, attempts } = delivery;
        const data = { alertId, sinkId, attempts, reason };
        await log.append({ type: 'alert.abandoned', tenant: '*', at: clock.now(), data });
        await outboxStore.record(log.node, { ...delivery, status: 'abandoned', lastError: reason });
      }
      if (pending.length === 0) break;
    }
    await outboxStore.restart(log.node);
    onFault?.(
      new Error('the audit log was begun anew or rolled back: alerts are delivered from its beginning'),
    );
  }

  /** How far delivery is behind: records of the log to be looked at, and by how long the oldest delivery is late. */
  async lag(): Promise<{ readonly records: number; readonly overdueMs: number }> {
    const { log, outboxStore, clock } = this.#o;
    const due = await outboxStore.nextDueAt(log.node);
    return {
      records: Math.max(0, log.lastSequence - this.#projector.caughtUp),
      overdueMs: due === null ? 0 : Math.max(0, clock.now() - due),
    };
  }

  /** Deliveries, newest first. */
  async deliveries(filter: {
    readonly status?: DeliveryRecord['status'];
    readonly limit: number;
  }): Promise<DeliveryRecord[]> {
    return await this.#o.outboxStore.list(this.#o.log.node, filter);
  }

  /** Stops; what is not delivered stays pending for the next start. */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#wake();
    await this.#running;
    await Promise.race([Promise.all(this.#work), sleep(CLOSE_MS, undefined, { ref: false })]);
    await this.#projector.saveCursor(1).catch((fault) => this.#fault(fault));
  }

  get #closing(): boolean {
    return this.#abort.signal.aborted;
  }

  /** A fault of the database or the log must not end deliveries for good. */
  async #persist(run: () => Promise<void>): Promise<void> {
    while (!this.#closing) {
      try {
        await run();
      } catch (fault) {
        this.#fault(fault);
      }
      await sleep(FAULT_REST_MS, undefined, { signal: this.#abort.signal }).catch(() => {});
    }
  }

  async #deliverAll(): Promise<void> {
    while (!this.#closing) {
      await this.#keepHouse();
      if (this.#busy.size >= MAX_BUSY_SINKS) await this.#pause(this.#idleMs);
      else if (!(await this.#startDue())) await this.#pause(await this.#untilNextDue());
    }
  }

  /** False when nothing is due that may be started now. */
  async #startDue(): Promise<boolean> {
    const { log, outboxStore, clock } = this.#o;
    const due = await outboxStore.due(log.node, clock.now(), BATCH, this.#unavailable());
    const bySink = Map.groupBy(due, ({ sinkId }) => sinkId);
    for (const [sinkId, deliveries] of bySink) {
      if (this.#busy.size >= MAX_BUSY_SINKS) break;
      this.#startSink(sinkId, deliveries.slice(0, PER_SINK));
    }
    return due.length > 0;
  }

  #startSink(sinkId: string, deliveries: readonly DeliveryRecord[]): void {
    this.#busy.add(sinkId);
    // Settled: the sink stays busy until its last attempt has ended, or that one would be made twice.
    const work = Promise.allSettled(deliveries.map((delivery) => this.#courier.deliver(delivery)))
      .then((results) => {
        for (const result of results) if (result.status === 'rejected') this.#rest(sinkId, result.reason);
      })
      .finally(() => {
        this.#busy.delete(sinkId);
        this.#work.delete(work);
        this.#wake();
      });
    this.#work.add(work);
  }

  #unavailable(): string[] {
    const now = this.#o.clock.now();
    for (const [sinkId, until] of this.#resting) {
      if (until <= now || until > now + FAULT_REST_MS) this.#resting.delete(sinkId);
    }
    return [...this.#busy, ...this.#resting.keys()];
  }

  async #keepHouse(): Promise<void> {
    const { log, outboxStore, clock } = this.#o;
    await this.#projector.saveCursor(SAVE_CURSOR_EVERY);
    const now = clock.now();
    // The clock was set back: what waits for a time that has just become far away is tried at once.
    if (now < this.#lookedAt) await outboxStore.pullForward(log.node, now, now);
    this.#lookedAt = now;
    if (Math.abs(now - this.#forgotAt) < FORGET_EVERY_MS) return;
    this.#forgotAt = now;
    await outboxStore.deleteFinished(log.node, now - KEEP_FINISHED_MS);
  }

  async #untilNextDue(): Promise<number> {
    const { log, outboxStore, clock } = this.#o;
    const due = await outboxStore.nextDueAt(log.node, this.#unavailable());
    const next = Math.min(due ?? Number.POSITIVE_INFINITY, ...this.#resting.values());
    return Math.min(Math.max(next - clock.now(), 0), this.#idleMs);
  }

  /** Waits, unless and until there is something to do. */
  async #pause(ms: number): Promise<void> {
    if (!this.#kicked) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      this.#kick = resolve;
      await promise;
      clearTimeout(timer);
      this.#kick = null;
    }
    this.#kicked = false;
  }

  #wake(): void {
    this.#kicked = true;
    this.#kick?.();
  }

  /** After a fault of ours (not of the receiver) the sink's deliveries stay due, so they must not be tried at once. */
  #rest(sinkId: string, fault: unknown): void {
    this.#resting.set(sinkId, this.#o.clock.now() + FAULT_REST_MS);
    this.#fault(fault);
  }

  #fault(fault: unknown): void {
    if (!this.#closing) this.#o.onFault?.(fault);
  }
}
