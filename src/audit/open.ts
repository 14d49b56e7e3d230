import type { KeyObject } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Clock } from '../core/index.ts';
import { checkpointFile } from './checkpoint-file.ts';
import { AuditFault } from './fault.ts';
import { type AppendFile, type AuditFiles, nodeFiles } from './files.ts';
import { takeLock } from './lock.ts';
import { type AuditLog, FileAuditLog } from './log.ts';
import { recover } from './recover.ts';
import { SegmentWriter } from './segment-writer.ts';

const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024;
const CHECKPOINT_EVERY_RECORDS = 1_000;
const CHECKPOINT_EVERY_MS = 60 * 60 * 1000;
const BACKGROUND_SYNC_MS = 1_000;

export interface AuditLogOptions {
  /** Made (mode 0700) when it is not there. */
  readonly directory: string;
  /** `power`: an acknowledged record survives a power cut. `process`: it survives the death of the process. */
  readonly durability: 'power' | 'process';
  readonly node: string;
  readonly clock: Clock;
  /** Ed25519 private key: see `loadOrCreateCheckpointKey`. */
  readonly checkpointKey: KeyObject;
  /** Size at which a new file is begun. */
  readonly segmentBytes?: number;
  /** Tenant under which the log's own events stand; `*` (all of them) by default. */
  readonly tenant?: string;
  readonly checkpointEveryRecords?: number;
  /** How files are written; tests put in ones that fail. */
  readonly files?: AuditFiles;
}

/**
 * Opens a node's log, or begins it. Throws AuditFault when another process has it, when it belongs to another
 * node, or when it is broken; an unfinished tail that a crash left is moved aside and recorded as
 * `audit.recovered`.
 */
export async function openAuditLog(o: AuditLogOptions): Promise<AuditLog> {
  await makeDirectory(o.directory);
  let log: FileAuditLog | null = null;
  const lock = await takeLock(o.directory, () =>
    log?.fail(new AuditFault(o.directory, null, 'another process took the lock of the audit log')),
  );
  try {
    const { end, segment, checkpointed, droppedBytes } = await recover(o.directory);
    if (end.node !== null && end.node !== o.node) {
      throw new AuditFault(
        o.directory,
        null,
        `this is the log of node ${end.node}, and this node is ${o.node}; correct node.name`,
      );
    }
    const { writer, checkpoints } = await openFiles(o, segment);
    log = new FileAuditLog({
      directory: o.directory,
      node: o.node,
      checkpointKey: o.checkpointKey,
      end,
      checkpointed,
      writer,
      checkpoints,
      lock,
      checkpointEvery: o.checkpointEveryRecords ?? CHECKPOINT_EVERY_RECORDS,
    });
    if (droppedBytes > 0) await recordRecovery(log, o, droppedBytes);
    log.startTimers({
      checkpointMs: CHECKPOINT_EVERY_MS,
      syncMs: o.durability === 'process' ? BACKGROUND_SYNC_MS : null,
    });
    return log;
  } catch (fault) {
    await lock.release();
    throw fault;
  }
}

async function recordRecovery(log: AuditLog, o: AuditLogOptions, droppedBytes: number): Promise<void> {
  const tenant = o.tenant ?? '*';
  await log.append({ type: 'audit.recovered', tenant, at: o.clock.now(), data: { droppedBytes } });
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new AuditFault(directory, null, `the folder can not be made: ${messageOf(cause)}`, { cause });
  }
}

async function openFiles(
  o: AuditLogOptions,
  segment: Parameters<typeof SegmentWriter.open>[1],
): Promise<{ writer: SegmentWriter; checkpoints: AppendFile }> {
  const files = o.files ?? nodeFiles;
  const { directory, durability } = o;
  const segmentBytes = o.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
  const writer = await SegmentWriter.open({ directory, files, durability, segmentBytes }, segment);
  const checkpoints = await files.openAppend(checkpointFile(directory));
  return { writer, checkpoints };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
