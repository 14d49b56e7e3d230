import type { KeyObject } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Clock } from '../core/index.ts';
import type { AuditLog } from './audit-log.ts';
import { checkpointFile } from './checkpoint-file.ts';
import { AuditFault } from './fault.ts';
import { type AppendFile, type AuditFiles, nodeFiles } from './files.ts';
import { type LogLock, takeLock } from './lock.ts';
import { FileAuditLog } from './log.ts';
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
  try {
    await mkdir(o.directory, { recursive: true, mode: 0o700 });
    return await openLocked(o);
  } catch (fault) {
    throw unusable(o.directory, fault);
  }
}

async function openLocked(o: AuditLogOptions): Promise<AuditLog> {
  let log: FileAuditLog | null = null;
  const lock = await takeLock(o.directory, () =>
    log?.fail(new AuditFault(o.directory, null, 'another process took the lock of the audit log')),
  );
  try {
    log = await openWith(lock, o);
    return log;
  } catch (fault) {
    await lock.release();
    throw fault;
  }
}

async function openWith(lock: LogLock, o: AuditLogOptions): Promise<FileAuditLog> {
  const { end, segment, checkpointed, droppedBytes } = await recover(o.directory);
  if (end.node !== null && end.node !== o.node) {
    const reason = `this is the log of node ${end.node}, and this node is ${o.node}; correct node.name`;
    throw new AuditFault(o.directory, null, reason);
  }
  const log = new FileAuditLog({
    directory: o.directory,
    node: o.node,
    checkpointKey: o.checkpointKey,
    end,
    checkpointed,
    ...(await openFiles(o, segment)),
    lock,
    checkpointEvery: o.checkpointEveryRecords ?? CHECKPOINT_EVERY_RECORDS,
  });
  if (droppedBytes > 0) await recordRecovery(log, o, droppedBytes);
  log.startTimers({
    checkpointMs: CHECKPOINT_EVERY_MS,
    syncMs: o.durability === 'process' ? BACKGROUND_SYNC_MS : null,
  });
  return log;
}

async function recordRecovery(log: AuditLog, o: AuditLogOptions, droppedBytes: number): Promise<void> {
  const tenant = o.tenant ?? '*';
  try {
    await log.append({ type: 'audit.recovered', tenant, at: o.clock.now(), data: { droppedBytes } });
  } catch (fault) {
    await log.close();
    throw fault;
  }
}

/** Faults of the file system say what was wrong; this adds where, and that it was about the log. */
function unusable(directory: string, cause: unknown): AuditFault {
  if (cause instanceof AuditFault) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new AuditFault(directory, null, `the audit log can not be written here: ${reason}`, { cause });
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
