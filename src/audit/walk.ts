import type { KeyObject } from 'node:crypto';
import { statSync } from 'node:fs';
import { LIMITS } from '../core/index.ts';
import { Chain } from './chain.ts';
import { type Checkpoint, CheckpointFault, isSignedBy, originOf } from './checkpoint.ts';
import {
  checkpointFile,
  isWholeCheckpointLine,
  parseCheckpointLine,
  readCheckpointLines,
} from './checkpoint-file.ts';
import { type Line, readLines, textOf } from './lines.ts';
import { formatPeaks, readTextIfThere } from './peaks.ts';
import { decodeRecord, RecordFault } from './record.ts';
import { listSegments, peaksFile, type Segment } from './segments.ts';

/** The first place where a log is not what its gate wrote. */
export interface Break {
  /** The record that should stand there. */
  readonly sequence: number;
  readonly file: string;
  /** 1 for the first line; null when the whole file is meant. */
  readonly line: number | null;
  readonly reason: string;
}

/** Ends the walk at the first break. */
class Broken extends Error {
  readonly found: Break;
  constructor(found: Break) {
    super(found.reason);
    this.found = found;
  }
}

interface Placed {
  readonly line: number;
  readonly checkpoint: Checkpoint;
}

/** One pass over the log, with the checkpoints walked beside it: both are in the order of size. */
export class Walk {
  readonly #directory: string;
  readonly #publicKey: KeyObject | null;
  readonly #external: Checkpoint | null;
  readonly #chain = new Chain();
  #checkpoints: AsyncGenerator<Placed> | null = null;
  #next: Placed | null = null;
  segments = 0;
  unfinishedBytes = 0;
  checkpointsVerified = 0;

  constructor(directory: string, publicKey: KeyObject | null, external: Checkpoint | null) {
    this.#directory = directory;
    this.#publicKey = publicKey;
    this.#external = external;
  }

  get node(): string | null {
    return this.#chain.end.node;
  }

  get records(): number {
    return this.#chain.end.sequence;
  }

  get root(): string {
    return this.#chain.end.tree.root().toString('base64');
  }

  async firstBreak(): Promise<Break | null> {
    try {
      await this.#walk();
      return null;
    } catch (fault) {
      if (fault instanceof Broken) return fault.found;
      throw fault;
    } finally {
      await this.#checkpoints?.return(undefined);
    }
  }

  async #walk(): Promise<void> {
    // Before the records: a checkpoint that is written while we read vouches for records that we don't read.
    this.#checkpoints = this.#readCheckpoints(sizeOf(checkpointFile(this.#directory)));
    const segments = await listSegments(this.#directory);
    await this.#advance();
    await this.#compareCheckpoints();
    for (const segment of segments) {
      await this.#walkSegment(segment, segment === segments.at(-1));
      this.segments += 1;
    }
    this.#assertNothingBeyond();
  }

  async #walkSegment(segment: Segment, isLast: boolean): Promise<void> {
    const expected = this.records + 1;
    if (segment.first !== expected) {
      throw this.#broken(segment.file, null, `the segment that begins with record ${expected} is missing`);
    }
    await this.#comparePeaks(segment);
    for await (const batch of readLines(segment.file)) {
      for (const line of batch) {
        if (!line.ended && isLast && isTear(line)) this.unfinishedBytes = line.bytes.length;
        else await this.#acceptLine(segment, line);
      }
    }
  }

  async #acceptLine(segment: Segment, line: Line): Promise<void> {
    if (!line.ended) throw this.#broken(segment.file, line.number, 'the line does not end');
    const text = textOf(line);
    if (text === null) throw this.#broken(segment.file, line.number, 'the line is not UTF-8');
    try {
      this.#chain.accept(text);
    } catch (fault) {
      if (fault instanceof RecordFault) throw this.#broken(segment.file, line.number, fault.message);
      throw fault;
    }
    const { records } = this;
    if (this.#next?.checkpoint.size === records) await this.#compareCheckpoints();
    if (this.#external?.size === records && this.#external.root !== this.root) {
      throw this.#broken(
        segment.file,
        line.number,
        `the log differs from the checkpoint given, over ${records} records`,
        records,
      );
    }
  }

  async #comparePeaks(segment: Segment): Promise<void> {
    const file = peaksFile(this.#directory, segment.first);
    const text = segment.first === 1 ? null : await readTextIfThere(file);
    if (text === null || text === formatPeaks(this.#chain.end.tree.peaks)) return;
    throw this.#broken(file, null, 'the file does not hold the tree over the records before its segment');
  }

  /** Compares every checkpoint over just the records so far. */
  async #compareCheckpoints(): Promise<void> {
    while (this.#next !== null && this.#next.checkpoint.size <= this.records) {
      const { checkpoint, line } = this.#next;
      const file = checkpointFile(this.#directory);
      const broken = (reason: string) => this.#broken(file, line, reason, checkpoint.size);
      if (checkpoint.size < this.records) throw broken('the checkpoints are not in order');
      if (checkpoint.root !== this.root) {
        throw broken(`the log differs from its checkpoint over ${checkpoint.size} records`);
      }
      if (this.node !== null && checkpoint.origin !== originOf(this.node)) {
        throw broken(`the checkpoint is of ${checkpoint.origin}`);
      }
      if (this.#publicKey !== null) {
        if (!isSignedBy(checkpoint, this.#publicKey))
          throw broken('the checkpoint is not signed by the key given');
        this.checkpointsVerified += 1;
      }
      await this.#advance();
    }
  }

  async #advance(): Promise<void> {
    const step = await this.#checkpoints?.next();
    this.#next = step === undefined || step.done === true ? null : step.value;
  }

  async *#readCheckpoints(bytes: number): AsyncGenerator<Placed> {
    for await (const line of readCheckpointLines(this.#directory)) {
      if (line.offset >= bytes) return;
      if (!line.ended && !isWholeCheckpointLine(line.bytes.subarray(0, -1))) return;
      try {
        const checkpoint = parseCheckpointLine(line.ended ? textOf(line) : null);
        yield { line: line.number, checkpoint };
      } catch (fault) {
        if (!(fault instanceof CheckpointFault)) throw fault;
        throw this.#broken(checkpointFile(this.#directory), line.number, fault.message);
      }
    }
  }

  #assertNothingBeyond(): void {
    const { records } = this;
    const cut = (size: number, which: string) =>
      `${which} vouches for ${size} records, and the log ends with record ${records}: its end was cut off`;
    const next = this.#next;
    if (next !== null) {
      const file = checkpointFile(this.#directory);
      throw this.#broken(file, next.line, cut(next.checkpoint.size, 'a checkpoint'));
    }
    if (this.#external !== null && this.#external.size > records) {
      throw this.#broken(this.#directory, null, cut(this.#external.size, 'the checkpoint given'));
    }
  }

  #broken(file: string, line: number | null, reason: string, sequence = this.records + 1): Broken {
    return new Broken({ sequence, file, line, reason });
  }
}

/** A write that stopped leaves the beginning of a line, never a whole record and something else. */
function isTear(line: Line): boolean {
  if (line.bytes.length > LIMITS.auditRecordBytes) return false;
  try {
    decodeRecord(line.bytes.subarray(0, -1).toString('utf8'));
    return false;
  } catch {
    return true;
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
