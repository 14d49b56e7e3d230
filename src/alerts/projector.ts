import type { AuditLog } from '../audit/index.ts';
import { type AlertRecord, isAlertRecord } from './message.ts';
import { severityRank } from './severity.ts';
import type { DeliveryRecord, OutboxStore, SinkRecord, SinkStore } from './store.ts';

export interface ProjectorOptions {
  readonly log: AuditLog;
  readonly outboxStore: OutboxStore;
  readonly sinkStore: SinkStore;
  /** Told after deliveries were made durable. */
  readonly onProjected: (record: AlertRecord) => void;
}

/**
 * Turns `alert.raised` records into deliveries, one for each sink that wants them. Deliveries and cursor move in
 * one transaction: a death in between repeats a record, and never skips one.
 */
export class Projector {
  readonly #o: ProjectorOptions;
  #caughtUp = 0;
  #saved = 0;

  constructor(options: ProjectorOptions) {
    this.#o = options;
  }

  /** All durable records up to this number are projected. */
  get caughtUp(): number {
    return this.#caughtUp;
  }

  /** Follows the log until `signal` or the log ends it. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, outboxStore } = this.#o;
    const cursor = await outboxStore.cursor(log.node);
    this.#saved = cursor;
    const onCaughtUp = (sequence: number) => {
      this.#caughtUp = sequence;
    };
    const records = log.read({
      afterSequence: cursor,
      follow: true,
      signal,
      types: ['alert.raised'],
      onCaughtUp,
    });
    for await (const record of records) {
      if (isAlertRecord(record)) await this.#project(record);
    }
  }

  /** Keeps how far we came when that is at least `step` records further than what is kept. */
  async saveCursor(step: number): Promise<void> {
    if (this.#caughtUp - this.#saved >= step) await this.#save(this.#caughtUp);
  }

  async #project(record: AlertRecord): Promise<void> {
    const { log, outboxStore, sinkStore, onProjected } = this.#o;
    const deliveries = deliveriesFor(record, await sinkStore.all());
    await outboxStore.project(log.node, deliveries, record.sequence);
    this.#saved = record.sequence;
    if (deliveries.length > 0) onProjected(record);
  }

  async #save(sequence: number): Promise<void> {
    await this.#o.outboxStore.project(this.#o.log.node, [], sequence);
    this.#saved = sequence;
  }
}

/** Pure: which sinks get an alert. */
export function deliveriesFor(record: AlertRecord, sinks: readonly SinkRecord[]): DeliveryRecord[] {
  const { event, sequence } = record;
  return sinks
    .filter(
      (sink) =>
        sink.status === 'active' &&
        sink.tenant === event.tenant &&
        severityRank(event.data.severity) >= severityRank(sink.minSeverity),
    )
    .map((sink) => ({
      sinkId: sink.id,
      sequence,
      alertId: event.data.alertId,
      attempts: 0,
      nextAttemptAt: event.at,
      status: 'pending',
      lastError: null,
    }));
}
