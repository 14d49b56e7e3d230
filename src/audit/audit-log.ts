import type { AuditEvent, AuditEventType } from '../core/index.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Receipt } from './receipt.ts';
import type { AuditRecord } from './record.ts';

export interface ReadOptions {
  /** 0 reads from the first record. */
  readonly afterSequence: number;
  /** Waits for new records at the end instead of ending. */
  readonly follow?: boolean;
  /** Ends the reading, without an error. */
  readonly signal?: AbortSignal;
  /** Only events of these types. The others are passed over without being parsed. */
  readonly types?: readonly AuditEventType[];
  /** Told whenever all durable records up to a number have been given, and taken by the reader. */
  readonly onCaughtUp?: (sequence: number) => void;
}

/** The log of one node: append-only, hash-chained, durable before it says so. */
export interface AuditLog {
  readonly node: string;
  /** Sequence number of the last durable record; 0 for an empty log. */
  readonly lastSequence: number;
  /** False once a write has failed: from then on the log refuses everything until it is opened again. */
  readonly isWritable: boolean;
  /**
   * Resolves when the record is durable. Rejects with Refusal `audit_unavailable` when it can't be written (from
   * then on the log refuses everything until it is opened again) and `overloaded` when too many records wait.
   */
  append(event: AuditEvent): Promise<Receipt>;
  /** Durable records in order. */
  read(from: ReadOptions): AsyncIterable<AuditRecord>;
  /** Signs the number and the tree of all records so far, and keeps the note beside the log. */
  checkpoint(): Promise<Checkpoint>;
  /** Waits for what was appended, writes a checkpoint, and lets go of the log. */
  close(): Promise<void>;
}
