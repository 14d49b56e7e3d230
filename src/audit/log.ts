import type { KeyObject } from 'node:crypto';
import { type AuditEvent, type AuditEventType, endOfTurn, LIMITS, Refusal } from '../core/index.ts';
import type { AuditLog, ReadOptions } from './audit-log.ts';
import type { ChainEnd } from './chain.ts';
import { type Checkpoint, signCheckpoint } from './checkpoint.ts';
import { formatCheckpointLine } from './checkpoint-file.ts';
import type { AppendFile } from './files.ts';
import { Followers } from './followers.ts';
import type { LogLock } from './lock.ts';
import { RecordReader } from './reader.ts';
import { Receipt } from './receipt.ts';
import { type AuditRecord, encodeRecord } from './record.ts';
import type { SegmentWriter } from './segment-writer.ts';
import { leafHash, type MerkleTree } from './tree.ts';

/** Text that waits for the disk; with longer records than usual this is reached before LIMITS.auditQueue. */
const MAX_PENDING_CHARS = 32 * 1024 * 1024;

interface Pending {
  readonly type: AuditEventType;
  readonly line: string;
  readonly sequence: number;
  readonly hash: string;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (reason: unknown) => void;
}

interface CheckpointRequest {
  readonly resolve: (checkpoint: Checkpoint) => void;
  readonly reject: (reason: unknown) => void;
}

export interface FileAuditLogOptions {
  readonly directory: string;
  readonly node: string;
  readonly checkpointKey: KeyObject;
  readonly end: ChainEnd;
  /** Size of the last checkpoint; 0 when there is none. */
  readonly checkpointed: number;
  readonly writer: SegmentWriter;
  readonly checkpoints: AppendFile;
  readonly lock: LogLock;
  /** A checkpoint is written after so many records. */
  readonly checkpointEvery: number;
}

/**
 * One loop owns the disk. While it waits for a write, appends gather; the next round takes all of them in one
 * write and one sync. Each record is turned into text once, at append, where the chain also gets its order.
 */
export class FileAuditLog implements AuditLog {
  readonly node: string;
  readonly #options: FileAuditLogOptions;
  readonly #tree: MerkleTree;
  readonly #followers = new Followers();
  /** Where the chain stands, with what waits for the disk. */
  #sequence: number;
  #hash: string;
  #durable: number;
  #checkpointed: number;
  #pending: Pending[] = [];
  #pendingChars = 0;
  #requests: CheckpointRequest[] = [];
  #draining = false;
  #drained: Promise<void> = Promise.resolve();
  #failure: unknown = null;
  #closing: Promise<void> | null = null;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(options: FileAuditLogOptions) {
    this.#options = options;
    this.node = options.node;
    this.#tree = options.end.tree;
    this.#sequence = options.end.sequence;
    this.#hash = options.end.hash;
    this.#durable = options.end.sequence;
    this.#checkpointed = options.checkpointed;
  }

  get lastSequence(): number {
    return this.#durable;
  }

  get isWritable(): boolean {
    return this.#failure === null && this.#closing === null;
  }

  append(event: AuditEvent): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      if (this.#pending.length >= LIMITS.auditQueue || this.#pendingChars >= MAX_PENDING_CHARS) {
        throw new Refusal('overloaded', { internal: `${this.#pending.length} records wait for the disk` });
      }
      const sequence = this.#sequence + 1;
      const { line, hash } = encodeRecord({ sequence, node: this.node, previous: this.#hash, event });
      if (line.length * 3 > LIMITS.auditRecordBytes && Buffer.byteLength(line) > LIMITS.auditRecordBytes) {
        throw new Refusal('audit_unavailable', {
          internal: `a record of ${line.length} characters is too long`,
        });
      }
      this.#sequence = sequence;
      this.#hash = hash;
      this.#pending.push({ type: event.type, line, sequence, hash, resolve, reject });
      this.#pendingChars += line.length;
      this.#run();
    });
  }

  async *read(from: ReadOptions): AsyncGenerator<AuditRecord> {
    const types = from.types === undefined ? null : new Set(from.types);
    const reader = new RecordReader(this.#options.directory, from.afterSequence, types);
    const onCaughtUp = from.onCaughtUp ?? (() => {});
    const follower = from.follow === true ? this.#followers.join(types, onCaughtUp) : null;
    try {
      do {
        for await (const record of reader.read(this.#durable)) {
          if (from.signal?.aborted) return;
          yield record;
        }
        // What came meanwhile and was no news is not of the types that are wanted.
        onCaughtUp(follower?.hasNews === false ? this.#durable : reader.at);
      } while (follower !== null && this.#closing === null && (await follower.news(from.signal)));
      if (follower !== null && this.#failure !== null) throw this.#refusal();
    } finally {
      follower?.leave();
    }
  }

  checkpoint(): Promise<Checkpoint> {
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      this.#requests.push({ resolve, reject });
      this.#run();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Begins what runs beside the appends; no timer keeps the process alive, and `close` ends them. */
  startTimers(o: { readonly checkpointMs: number; readonly syncMs: number | null }): void {
    this.#timers.push(setInterval(() => this.#checkpointIfNew(), o.checkpointMs).unref());
    if (o.syncMs !== null) this.#timers.push(setInterval(() => void this.#sync(), o.syncMs).unref());
  }

  /**
   * From here on nothing is written. After a failed write the file may hold a part of a line; after a failed
   * fsync the system may have dropped pages and would call the next fsync a success. Only opening anew, which
   * reads what is really there, can go on.
   */
  fail(cause: unknown): void {
    this.#failure ??= cause;
    const refused = [...this.#pending, ...this.#requests];
    this.#pending = [];
    this.#requests = [];
    for (const { reject } of refused) reject(this.#refusal());
    this.#followers.end();
  }

  #run(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#drained = this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#failure === null && (this.#pending.length > 0 || this.#requests.length > 0)) {
      // Lets everything that is appended in the same turn join the group.
      await endOfTurn();
      const group = this.#pending;
      const requests = this.#requests;
      this.#pending = [];
      this.#pendingChars = 0;
      this.#requests = [];
      try {
        if (group.length > 0) await this.#commit(group);
        if (requests.length > 0 || this.#durable - this.#checkpointed >= this.#options.checkpointEvery) {
          const checkpoint = await this.#writeCheckpoint();
          for (const { resolve } of requests) resolve(checkpoint);
        }
      } catch (cause) {
        this.fail(cause);
        for (const { reject } of [...group, ...requests]) reject(this.#refusal());
      }
    }
    // In the same turn as the last look at the queue: an append between the two would wait forever.
    this.#draining = false;
  }

  async #commit(group: readonly Pending[]): Promise<void> {
    const first = group[0];
    const last = group.at(-1);
    if (first === undefined || last === undefined) return;
    let text = '';
    for (const { line } of group) text += `${line}\n`;
    const written = this.#options.writer.write(Buffer.from(text), first.sequence, this.#tree.peaks);
    // The tree is worked on while the disk is busy. If the write fails, the tree is not used again.
    for (const { line } of group) this.#tree.append(leafHash(line));
    await written;
    // Another process may have taken the lock meanwhile: then nothing more is acknowledged.
    if (this.#failure !== null) throw this.#failure;
    this.#durable = last.sequence;
    for (const { resolve, sequence, hash } of group) resolve(new Receipt(sequence, hash));
    this.#followers.tell(group, last.sequence);
  }

  async #writeCheckpoint(): Promise<Checkpoint> {
    const { writer, checkpoints, checkpointKey } = this.#options;
    // A checkpoint must never vouch for records that a power cut can still take away.
    await writer.sync();
    const { size } = this.#tree;
    const checkpoint = signCheckpoint({ node: this.node, size, root: this.#tree.root() }, checkpointKey);
    await checkpoints.write(Buffer.from(formatCheckpointLine(checkpoint)));
    await checkpoints.sync();
    this.#checkpointed = size;
    return checkpoint;
  }

  #checkpointIfNew(): void {
    // A failure stays with the log, and the next append tells of it.
    if (this.#durable > this.#checkpointed) this.checkpoint().catch(() => {});
  }

  async #sync(): Promise<void> {
    if (this.#failure !== null) return;
    try {
      await this.#options.writer.sync();
    } catch (cause) {
      this.fail(cause);
    }
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    while (this.#draining) await this.#drained;
    try {
      if (this.#failure === null && this.#durable > this.#checkpointed) await this.#writeCheckpoint();
    } finally {
      this.#followers.end();
      await this.#options.writer.close();
      await this.#options.checkpoints.close();
      await this.#options.lock.release();
    }
  }

  #assertOpen(): void {
    if (this.#failure !== null) throw this.#refusal();
    if (this.#closing !== null)
      throw new Refusal('audit_unavailable', { internal: 'the audit log is closed' });
  }

  #refusal(): Refusal {
    const cause = this.#failure;
    const internal = cause instanceof Error ? cause.message : String(cause);
    return new Refusal('audit_unavailable', { internal, cause });
  }
}
