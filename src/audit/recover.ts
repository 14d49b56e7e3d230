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
  /** Size of the last checkpoint; 0 when there is none that reaches into this segment. */
  readonly checkpointed: number;
  /** Bytes of an unfinished tail that were moved to a side file. */
  readonly droppedBytes: number;
}

/**
 * Finds where a log ends, after whatever end its last writer had: the last segment is checked record by
 * record, the earlier ones by the links between them, and all of it against the checkpoints. An unfinished tail
 * (no acknowledged record can be in it) goes to a side file. Throws AuditFault for anything else that is wrong:
 * going on would hide it.
 */
export async function recover(directory: string): Promise<Recovered> {
  const segments = await listSegments(directory);
  const last = segments.at(-1);
  const checkpoints = await checkpointsSince(directory, last === undefined ? 0 : last.first - 1);
  const checkpointed = checkpoints.at(-1)?.size ?? 0;
  if (last === undefined) {
    assertNothingBeyond(directory, 0, checkpoints);
    return { end: emptyChain(), segment: null, checkpointed, droppedBytes: 0 };
  }
  const before = await checkLinks(segments);
  const start = await chainBefore(directory, segments, before);
  const { end, droppedBytes } = await walkLast(last, start, checkpoints);
  assertNothingBeyond(directory, end.sequence, checkpoints);
  const { size } = await stat(last.file);
  return { end, segment: { ...last, bytes: size }, checkpointed, droppedBytes };
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

function accept(chain: Chain, file: string, line: Line): void {
  const text = line.ended ? textOf(line) : null;
  if (text === null) throw new AuditFault(file, line.number, 'the line is cut off or is not UTF-8');
  try {
    chain.accept(text);
  } catch (cause) {
    throw new AuditFault(file, line.number, cause instanceof Error ? cause.message : 'unreadable', { cause });
  }
}

async function walkLast(
  segment: Segment,
  start: ChainEnd,
  checkpoints: readonly Checkpoint[],
): Promise<{ end: ChainEnd; droppedBytes: number }> {
  const { size } = await stat(segment.file);
  const chain = new Chain(start);
  checkRoots(segment.file, null, chain.end, checkpoints);
  for await (const batch of readLines(segment.file)) {
    for (const line of batch) {
      if (isTorn(line, size)) {
        await moveTail(segment.file, line.offset);
        return { end: chain.end, droppedBytes: size - line.offset };
      }
      accept(chain, segment.file, line);
      checkRoots(segment.file, line.number, chain.end, checkpoints);
    }
  }
  return { end: chain.end, droppedBytes: 0 };
}

/** Checkpoints over at least `size` records, in the order of the file. An unfinished last line is cut off. */
async function checkpointsSince(directory: string, size: number): Promise<Checkpoint[]> {
  const file = checkpointFile(directory);
  const found: Checkpoint[] = [];
  for await (const line of readCheckpointLines(directory)) {
    if (!line.ended && !isWholeCheckpointLine(line.bytes)) {
      await cutFile(file, line.offset);
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
