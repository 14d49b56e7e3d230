import type { AuditLog } from '../audit/index.ts';
import { type Clock, LIMITS } from '../core/index.ts';
import { attempt, type Sealer } from './attempt.ts';
import { type AlertRecord, isAlertRecord, messageOf } from './message.ts';
import { nextAttemptAt } from './schedule.ts';
import type { Attempt, SinkTools } from './sinks/sink-kind.ts';
import type { DeliveryRecord, OutboxStore, SinkRecord, SinkStore } from './store.ts';

/** Alert records kept in memory between attempts; the others are read from the log again. */
const KEPT_RECORDS = 64;

export interface CourierOptions {
  readonly log: AuditLog;
  readonly outboxStore: OutboxStore;
  readonly sinkStore: SinkStore;
  readonly open: Sealer['open'];
  readonly tools: SinkTools;
  readonly clock: Clock;
  /** 0..1, for jitter. */
  readonly random?: () => number;
}

/** Carries out one delivery at a time and keeps how it went: delivered, again later, or abandoned. */
export class Courier {
  readonly #o: CourierOptions;
  readonly #records = new Map<number, AlertRecord>();
  readonly #disabling = new Set<string>();

  constructor(options: CourierOptions) {
    this.#o = options;
  }

  /** One attempt, with everything that follows from how it ends. Rejects for faults of ours alone. */
  async deliver(delivery: DeliveryRecord): Promise<void> {
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

  /** Once, however many attempts side by side hear the same. */
  async #disable(sink: SinkRecord, reason: string): Promise<void> {
    const { log, sinkStore, clock } = this.#o;
    if (this.#disabling.has(sink.id)) return;
    this.#disabling.add(sink.id);
    try {
      const current = await sinkStore.get(sink.tenant, sink.id);
      if (current?.status !== 'active') return;
      const data = { id: sink.id, by: 'outbox', changes: { name: sink.name, reason } };
      await log.append({ type: 'sink.disabled', tenant: sink.tenant, at: clock.now(), data });
      await sinkStore.setStatus(sink.tenant, sink.id, 'disabled');
    } finally {
      this.#disabling.delete(sink.id);
    }
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
      this.keep(record);
      return record;
    }
    return null;
  }

  keep(record: AlertRecord): void {
    this.#records.set(record.sequence, record);
    if (this.#records.size <= KEPT_RECORDS) return;
    for (const oldest of this.#records.keys()) {
      this.#records.delete(oldest);
      return;
    }
  }
}
