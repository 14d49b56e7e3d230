import { stat } from 'node:fs/promises';
import { Chain, type ChainEnd, emptyChain } from './chain.ts';
import { type Checkpoint, CheckpointFault } from './checkpoint.ts';
import {
  checkpointFile,
  isWholeCheckpointLine,
  parseCheckpointLine,
  readCheckpointLines,
} from './checkpoint-file.ts';
import { AuditFault } from './fault.ts';
import { cutFile } from './files.ts';
import { type Line, readLines, textOf } from './lines.ts';
import { checkLinks } from './links.ts';
import { readPeaks } from './peaks.ts';
import type { AuditRecord } from './record.ts';
import { listSegments, peaksFile, type Segment } from './segments.ts';
import { isTorn, moveTail } from './torn-tail.ts';

export interface Recovered {
  readonly end: ChainEnd;
  /** The segment to go on with; null for a new log. */
  readonly segment: (Segment & { readonly bytes: number }) | null;
  /** Those that reach into this segment. */
  readonly checkpoints: readonly Checkpoint[];
  /** Size of the last checkpoint; 0 when there is none that reaches into this segment. */
  readonly checkpointed: number;
  /** Bytes of an unfinished tail that were moved to a side file. */
  readonly droppedBytes: number;
  /** The last record of this segment. */
  readonly newest: AuditRecord | null;
}

/**
 * Finds where a log ends, after whatever end its last writer had: the last segment is checked record by
 * record, the earlier ones by the links between them, and all of it against the checkpoints. An unfinished tail
 * (no acknowledged record can be in it) goes to a side file. Throws AuditFault for anything else that is wrong:
 * going on would hide it.
 */
export function recover(directory: string): Promise<Recovered> {
  return findEnd(directory, { tail: moveTail, checkpoint: cutFile });
}

/** What is done with a line that a death in the middle of a write left, beginning at `offset` of `file`. */
interface Mend {
  tail(file: string, offset: number): Promise<void>;
  checkpoint(file: string, offset: number): Promise<void>;
}

const LEAVE: Mend = { tail: async () => undefined, checkpoint: async () => undefined };

/** As `recover`, but changes nothing: a gate may be writing to the log meanwhile. */
export function lookAtEnd(directory: string): Promise<Recovered> {
  return findEnd(directory, LEAVE);
}

async function findEnd(directory: string, mend: Mend): Promise<Recovered> {
  const before = (await listSegments(directory)).at(-1);
  // Before the segments: a checkpoint that is written while we read vouches for records that we don't read.
  const checkpoints = await checkpointsSince(directory, before === undefined ? 0 : before.first - 1, mend);
  const segments = await listSegments(directory);
  const last = segments.at(-1);
  const checkpointed = checkpoints.at(-1)?.size ?? 0;
  if (last === undefined) {
    assertNothingBeyond(directory, 0, checkpoints);
    return { end: emptyChain(), segment: null, checkpoints, checkpointed, droppedBytes: 0, newest: null };
  }
  const start = await chainBefore(directory, segments, await checkLinks(segments));
  const { end, droppedBytes, newest } = await walkLast(last, start, checkpoints, mend);
  assertNothingBeyond(directory, end.sequence, checkpoints);
  const { size } = await stat(last.file);
  return { end, segment: { ...last, bytes: size }, checkpoints, checkpointed, droppedBytes, newest };
}

/** The chain before the last segment. Without its file of peaks the whole log is read: slow, but right. */
async function chainBefore(
  directory: string,
  segments: readonly Segment[],
  before: AuditRecord | null,
): Promise<ChainEnd> {
  if (before === null) return emptyChain();
  const tree = await readPeaks(peaksFile(directory, before.sequence + 1), before.sequence);
  if (tree !== null) return { sequence: before.sequence, hash: before.hash, node: before.node, tree };
  const chain = new Chain();
  for (const segment of segments.slice(0, -1)) {
    for await (const batch of readLines(segment.file)) {
      for (const line of batch) accept(chain, segment.file, line);
    }
  }
  return chain.end;
}

function accept(chain: Chain, file: string, line: Line): AuditRecord {
  const text = line.ended ? textOf(line) : null;
  if (text === null) throw new AuditFault(file, line.number, 'the line is cut off or is not UTF-8');
  try {
    return chain.accept(text);
  } catch (cause) {
    throw new AuditFault(file, line.number, cause instanceof Error ? cause.message : 'unreadable', { cause });
  }
}

async function walkLast(
  segment: Segment,
  start: ChainEnd,
  checkpoints: readonly Checkpoint[],
  mend: Mend,
): Promise<{ end: ChainEnd; droppedBytes: number; newest: AuditRecord | null }> {
  const { size } = await stat(segment.file);
  const chain = new Chain(start);
  let newest: AuditRecord | null = null;
  checkRoots(segment.file, null, chain.end, checkpoints);
  for await (const batch of readLines(segment.file)) {
    for (const line of batch) {
      if (isTorn(line, size)) {
        await mend.tail(segment.file, line.offset);
        return { end: chain.end, droppedBytes: size - line.offset, newest };
      }
      newest = accept(chain, segment.file, line);
      checkRoots(segment.file, line.number, chain.end, checkpoints);
    }
  }
  return { end: chain.end, droppedBytes: 0, newest };
}

/** Checkpoints over at least `size` records, in the order of the file. An unfinished last line is cut off. */
async function checkpointsSince(directory: string, size: number, mend: Mend): Promise<Checkpoint[]> {
  const file = checkpointFile(directory);
  const found: Checkpoint[] = [];
  for await (const line of readCheckpointLines(directory)) {
    if (!line.ended && !isWholeCheckpointLine(line.bytes)) {
      await mend.checkpoint(file, line.offset);
      break;
    }
    try {
      const checkpoint = parseCheckpointLine(line.ended ? textOf(line) : null);
      if (checkpoint.size >= size) found.push(checkpoint);
    } catch (cause) {
      if (!(cause instanceof CheckpointFault)) throw cause;
      throw new AuditFault(file, line.number, cause.message, { cause });
    }
  }
  return found;
}

function checkRoots(
  file: string,
  line: number | null,
  end: ChainEnd,
  checkpoints: readonly Checkpoint[],
): void {
  for (const checkpoint of checkpoints) {
    if (checkpoint.size === end.tree.size && checkpoint.root !== end.tree.root().toString('base64')) {
      throw new AuditFault(file, line, `the log differs from the checkpoint over ${checkpoint.size} records`);
    }
  }
}

function assertNothingBeyond(directory: string, records: number, checkpoints: readonly Checkpoint[]): void {
  const beyond = checkpoints.find((checkpoint) => checkpoint.size > records);
  if (beyond === undefined) return;
  throw new AuditFault(
    checkpointFile(directory),
    null,
    `a checkpoint vouches for ${beyond.size} records and the log holds ${records}: its end was cut off; ` +
      'restore the log, or move its folder away to begin a new one',
  );
}
