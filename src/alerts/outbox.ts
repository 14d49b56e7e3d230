import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditLog } from '../audit/index.ts';
import { type Clock, LIMITS } from '../core/index.ts';
import { attempt, type Sealer } from './attempt.ts';
import { type AlertRecord, isAlertRecord, messageOf } from './message.ts';
import { Projector } from './projector.ts';
import { nextAttemptAt } from './schedule.ts';
import type { Attempt, SinkTools } from './sinks/sink-kind.ts';
import type { DeliveryRecord, OutboxStore, SinkRecord, SinkStore } from './store.ts';

/** Deliveries that are fetched at once, and attempts that one sink gets side by side. */
const BATCH = 64;
const PER_SINK = 4;
/** Sinks that are worked on side by side; the rest wait for a place. */
const MAX_BUSY_SINKS = 32;
/** Alert records kept in memory between attempts; the others are read from the log again. */
const KEPT_RECORDS = 64;
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

export interface OutboxOptions {
  readonly log: AuditLog;
  readonly outboxStore: OutboxStore;
  readonly sinkStore: SinkStore;
  readonly open: Sealer['open'];
  readonly tools: SinkTools;
  readonly clock: Clock;
  /** Told of faults of the gate itself (database, log); what goes wrong at receivers is in the deliveries. */
  readonly onFault?: (fault: unknown) => void;
  /** Longest sleep between two looks for due deliveries (the clock may be set); 30 seconds by default. */
  readonly idleMs?: number;
  /** 0..1, for jitter. */
  readonly random?: () => number;
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
  readonly #abort = new AbortController();
  /** Sinks with attempts under way, and sinks that rest after a fault of ours, until when. */
  readonly #busy = new Set<string>();
  readonly #resting = new Map<string, number>();
  readonly #records = new Map<number, AlertRecord>();
  readonly #work = new Set<Promise<void>>();
  #kick: (() => void) | null = null;
  #kicked = false;
  #running: Promise<unknown> | null = null;
  #forgotAt = 0;

  constructor(options: OutboxOptions) {
    this.#o = options;
    this.#idleMs = options.idleMs ?? DEFAULT_IDLE_MS;
    this.#projector = new Projector({
      ...options,
      onProjected: (record) => {
        this.#keep(record);
        this.#wake();
      },
    });
  }

  /** Goes on where the last run ended. Resolves when it is under way. */
  async start(): Promise<void> {
    if (this.#running !== null) throw new TypeError('the outbox was started already');
    await this.#o.outboxStore.cursor(this.#o.log.node);
    this.#running = Promise.all([
      this.#persist(() => this.#projector.run(this.#abort.signal)),
      this.#persist(() => this.#deliverAll()),
    ]);
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
    const work = Promise.allSettled(deliveries.map((delivery) => this.#deliver(delivery)))
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

  async #deliver(delivery: DeliveryRecord): Promise<void> {
    const { sinkStore, clock, tools, open } = this.#o;
    const record = await this.#recordOf(delivery.sequence);
    if (record === null) throw new TypeError(`record ${delivery.sequence} of the log is not an alert`);
    const sink = await sinkStore.get(record.event.tenant, delivery.sinkId);
    if (sink === null || sink.status === 'disabled') {
      await this.#abandon(record, delivery, sink === null ? 'the sink was deleted' : 'the sink is disabled');
      return;
    }
    const result = await attempt({ sink, message: messageOf(record), open, tools, now: clock.now() });
    await this.#settle(record, sink, { ...delivery, attempts: delivery.attempts + 1 }, result);
  }

  async #settle(
    record: AlertRecord,
    sink: SinkRecord,
    delivery: DeliveryRecord,
    result: Attempt,
  ): Promise<void> {
    const { log, outboxStore, clock, random } = this.#o;
    const now = clock.now();
    if (result.outcome === 'delivered') {
      await outboxStore.record(log.node, {
        ...delivery,
        status: 'delivered',
        nextAttemptAt: now,
        lastError: null,
      });
      return;
    }
    const lastError = result.error.slice(0, LIMITS.evidenceChars);
    if (result.outcome === 'gone') {
      await this.#disable(sink, lastError);
      await this.#abandon(record, delivery, lastError);
      return;
    }
    const next = nextAttemptAt({
      attempts: delivery.attempts,
      raisedAt: record.event.at,
      now,
      retryAfterMs: result.retryAfterMs,
      random: (random ?? Math.random)(),
    });
    if (next === null) await this.#abandon(record, delivery, lastError);
    else await outboxStore.record(log.node, { ...delivery, nextAttemptAt: next, lastError });
  }

  async #disable(sink: SinkRecord, reason: string): Promise<void> {
    const { log, sinkStore, clock } = this.#o;
    const data = { id: sink.id, by: 'outbox', changes: { name: sink.name, reason } };
    await log.append({ type: 'sink.disabled', tenant: sink.tenant, at: clock.now(), data });
    await sinkStore.setStatus(sink.tenant, sink.id, 'disabled');
  }

  /** The log says that nobody was told before the delivery is put away. */
  async #abandon(record: AlertRecord, delivery: DeliveryRecord, reason: string): Promise<void> {
    const { log, outboxStore, clock } = this.#o;
    const now = clock.now();
    const { alertId, sinkId, attempts } = delivery;
    const data = { alertId, sinkId, attempts, reason };
    await log.append({ type: 'alert.abandoned', tenant: record.event.tenant, at: now, data });
    await outboxStore.record(log.node, {
      ...delivery,
      status: 'abandoned',
      nextAttemptAt: now,
      lastError: reason,
    });
  }

  async #recordOf(sequence: number): Promise<AlertRecord | null> {
    const kept = this.#records.get(sequence);
    if (kept !== undefined) return kept;
    for await (const record of this.#o.log.read({ afterSequence: sequence - 1 })) {
      if (record.sequence !== sequence || !isAlertRecord(record)) return null;
      this.#keep(record);
      return record;
    }
    return null;
  }

  #keep(record: AlertRecord): void {
    this.#records.set(record.sequence, record);
    if (this.#records.size <= KEPT_RECORDS) return;
    for (const oldest of this.#records.keys()) {
      this.#records.delete(oldest);
      return;
    }
  }

  #unavailable(): string[] {
    const now = this.#o.clock.now();
    for (const [sinkId, until] of this.#resting) if (until <= now) this.#resting.delete(sinkId);
    return [...this.#busy, ...this.#resting.keys()];
  }

  async #keepHouse(): Promise<void> {
    const { log, outboxStore, clock } = this.#o;
    await this.#projector.saveCursor(SAVE_CURSOR_EVERY);
    const now = clock.now();
    if (now - this.#forgotAt < FORGET_EVERY_MS) return;
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
