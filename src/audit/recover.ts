import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Chain, type ChainEnd, emptyChain } from './chain.ts';
import { type Checkpoint, CheckpointFault } from './checkpoint.ts';
import {
  checkpointFile,
  isWholeCheckpointLine,
  parseCheckpointLine,
  readCheckpointLines,
} from './checkpoint-file.ts';
import { AuditFault } from './fault.ts';
import { cutFile, hasCode, syncDirectory } from './files.ts';
import { type Line, readLines, textOf } from './lines.ts';
import { readPeaks } from './peaks.ts';
import { type AuditRecord, decodeRecord, RecordFault } from './record.ts';
import { listSegments, peaksFile, type Segment } from './segments.ts';

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

/** The record before the last segment; null when there is only one segment. */
async function checkLinks(segments: readonly Segment[]): Promise<AuditRecord | null> {
  let before: AuditRecord | null = null;
  for (const segment of segments) {
    const expected: number = before === null ? 1 : before.sequence + 1;
    if (segment.first !== expected) {
      throw new AuditFault(segment.file, null, `the segment that begins with record ${expected} is missing`);
    }
    if (segment === segments.at(-1)) break;
    const { first, last } = await readEnds(segment);
    if (before !== null && first.previous !== before.hash) {
      throw new AuditFault(segment.file, 1, 'the segment does not follow the one before it');
    }
    before = last;
  }
  return before;
}

async function readEnds(segment: Segment): Promise<{ first: AuditRecord; last: AuditRecord }> {
  const first = await lineAt(segment.file, 'first');
  const last = await lineAt(segment.file, 'last');
  return { first: decodeIn(segment.file, 1, first), last: decodeIn(segment.file, null, last) };
}

function decodeIn(file: string, line: number | null, text: string): AuditRecord {
  try {
    return decodeRecord(text);
  } catch (cause) {
    throw new AuditFault(file, line, cause instanceof RecordFault ? cause.message : 'unreadable', { cause });
  }
}

const END_BYTES = 512 * 1024;

async function lineAt(file: string, which: 'first' | 'last'): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, END_BYTES);
    const bytes = Buffer.alloc(length);
    await handle.read(bytes, 0, length, which === 'first' ? 0 : size - length);
    if (which === 'first') return bytes.subarray(0, Math.max(0, bytes.indexOf(10))).toString('utf8');
    if (bytes.at(-1) !== 10) throw new AuditFault(file, null, 'the last line of the segment is cut off');
    return bytes.subarray(bytes.lastIndexOf(10, -2) + 1, -1).toString('utf8');
  } finally {
    await handle.close();
  }
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

/**
 * What a death in the middle of a write leaves: a line without its newline, a last line that is not whole, or
 * (after a power cut) a line with bytes that never reached the disk and read as zero, which JSON never holds.
 */
function isTorn(line: Line, fileBytes: number): boolean {
  if (!line.ended || line.bytes.includes(0)) return true;
  const isLast = line.offset + line.bytes.length + 1 === fileBytes;
  return isLast && !isWhole(textOf(line));
}

function isWhole(text: string | null): boolean {
  if (text === null) return false;
  try {
    decodeRecord(text);
    return true;
  } catch {
    return false;
  }
}

/** Moves everything from `offset` on into a new side file; nothing is lost if we die in between. */
async function moveTail(file: string, offset: number): Promise<void> {
  for (let number = 1; ; number++) {
    try {
      const side = await open(`${file}.torn-${number}`, 'wx', 0o600);
      await pipeline(createReadStream(file, { start: offset }), side.createWriteStream({ flush: true }));
      break;
    } catch (fault) {
      if (!hasCode(fault, 'EEXIST')) throw fault;
    }
  }
  await syncDirectory(dirname(file));
  await cutFile(file, offset);
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
