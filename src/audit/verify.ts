import type { KeyObject } from 'node:crypto';
import { Refusal } from '../core/index.ts';
import { type Checkpoint, CheckpointFault, isSignedBy, originOf, parseCheckpoint } from './checkpoint.ts';
import { type Break, Walk } from './walk.ts';

export interface VerifyReport {
  /** True when nothing is broken. What it can't prove without a checkpoint kept elsewhere: see `hadExternalCheckpoint`. */
  readonly ok: boolean;
  readonly node: string | null;
  /** Records that were checked, up to the first break. */
  readonly records: number;
  readonly segments: number;
  readonly firstBroken: Break | null;
  /** Bytes of an unfinished last line: a gate is writing it now, or died while it did. None was acknowledged. */
  readonly unfinishedBytes: number;
  /** Checkpoints in the log's folder that agree with it and are signed by `publicKey`. */
  readonly checkpointsVerified: number;
  /** Without a public key checkpoints are compared with the log, but who signed them is not known. */
  readonly hadPublicKey: boolean;
  /** Only a checkpoint that was kept elsewhere proves that no records were cut off the end. */
  readonly hadExternalCheckpoint: boolean;
  /** Base64 root of the RFC 6962 tree over `records`. */
  readonly root: string;
}

export interface VerifyOptions {
  readonly directory: string;
  /** Ed25519; take it from a place that those who may write to the log can't write to. */
  readonly publicKey?: KeyObject;
  /** A signed note that was kept elsewhere. */
  readonly checkpoint?: string;
}

/**
 * Checks a log offline, from its first byte to its last, in constant memory; a gate may be writing to it. Throws
 * Refusal `input_invalid` when the checkpoint given is not one of this log, AuditFault when there is no log.
 */
export async function verifyAuditLog(o: VerifyOptions): Promise<VerifyReport> {
  const external = o.checkpoint === undefined ? null : parseExternal(o.checkpoint, o.publicKey);
  const walk = new Walk(o.directory, o.publicKey ?? null, external);
  const firstBroken = await walk.firstBreak();
  if (external !== null && walk.node !== null && external.origin !== originOf(walk.node)) {
    throw invalid(`the checkpoint is of ${external.origin}, and the log is ${originOf(walk.node)}`);
  }
  return {
    ok: firstBroken === null,
    node: walk.node,
    records: walk.records,
    segments: walk.segments,
    firstBroken,
    unfinishedBytes: walk.unfinishedBytes,
    checkpointsVerified: walk.checkpointsVerified,
    hadPublicKey: o.publicKey !== undefined,
    hadExternalCheckpoint: external !== null,
    root: walk.root,
  };
}

function parseExternal(note: string, publicKey: KeyObject | undefined): Checkpoint {
  let checkpoint: Checkpoint;
  try {
    checkpoint = parseCheckpoint(note.endsWith('\n') ? note : `${note}\n`);
  } catch (cause) {
    if (cause instanceof CheckpointFault) throw invalid(cause.message);
    throw cause;
  }
  if (publicKey === undefined || isSignedBy(checkpoint, publicKey)) return checkpoint;
  throw invalid('the checkpoint is not signed by the key of this log');
}

function invalid(detail: string): Refusal {
  return new Refusal('input_invalid', { detail });
}
