export type { Sealer } from './attempt.ts';
export { Deduplicator } from './deduplicator.ts';
export { Outbox } from './outbox.ts';
export type { AlertEvent } from './raise.ts';
export { raise } from './raise.ts';
export type { NewSink } from './sink-registry.ts';
export { Sinks } from './sink-registry.ts';
export type { Send } from './sinks/sink-kind.ts';
export type { DeliveryRecord, OutboxStore, SinkRecord, SinkStore } from './store.ts';
