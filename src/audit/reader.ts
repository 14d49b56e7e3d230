import type { AuditEventType } from '../core/index.ts';
import { AuditFault } from './fault.ts';
import { type Line, type Place, readLines, textOf } from './lines.ts';
import { type AuditRecord, decodeRecord } from './record.ts';
import { listSegments, type Segment } from './segments.ts';

/** Reads records in order, remembering its place, up to a bound that may grow. */
export class RecordReader {
  readonly #directory: string;
  readonly #marks: readonly string[] | null;
  #at: number;
  #segment: Segment | null = null;
  #place: Place = { number: 1, offset: 0 };

  /** Begins behind record `afterSequence`; `types`: only events of these types are parsed and given. */
  constructor(directory: string, afterSequence: number, types: ReadonlySet<AuditEventType> | null) {
    this.#directory = directory;
    this.#at = afterSequence;
    // In canonical form the type is the last member of the event and the record's hash comes next. Text inside
    // of strings can't look like this: its quotes are escaped.
    this.#marks = types === null ? null : [...types].map((type) => `"type":"${type}"},"hash":"`);
  }

  /** Sequence number of the last record that was passed. */
  get at(): number {
    return this.#at;
  }

  /** Gives records up to number `bound`, or to the end of what is there. Throws AuditFault for a broken line. */
  async *read(bound: number): AsyncGenerator<AuditRecord> {
    while (this.#at < bound) {
      const segment = this.#segment ?? (await this.#find());
      if (segment === null) return;
      this.#segment = segment;
      const before = this.#at;
      yield* this.#readSegment(segment, bound);
      if (this.#at >= bound) return;
      const next = (await listSegments(this.#directory)).find(({ first }) => first === this.#at + 1);
      if (next !== undefined && next.first !== segment.first) this.#enter(next);
      else if (this.#at === before) return;
    }
  }

  async *#readSegment(segment: Segment, bound: number): AsyncGenerator<AuditRecord> {
    for await (const batch of readLines(segment.file, this.#place)) {
      for (const line of batch) {
        const sequence = segment.first + line.number - 1;
        if (!line.ended || sequence > bound) return;
        this.#place = { number: line.number + 1, offset: line.offset + line.bytes.length + 1 };
        if (sequence <= this.#at) continue;
        this.#at = sequence;
        if (this.#marks?.some((mark) => line.bytes.includes(mark)) === false) continue;
        yield decodeLine(segment, line, sequence);
      }
    }
  }

  /** The segment that holds the next record. */
  async #find(): Promise<Segment | null> {
    const segments = await listSegments(this.#directory);
    return segments.findLast(({ first }) => first <= this.#at + 1) ?? null;
  }

  #enter(segment: Segment): void {
    this.#segment = segment;
    this.#place = { number: 1, offset: 0 };
  }
}

function decodeLine(segment: Segment, line: Line, sequence: number): AuditRecord {
  const text = textOf(line);
  if (text === null) throw new AuditFault(segment.file, line.number, 'the line is not UTF-8');
  let record: AuditRecord;
  try {
    record = decodeRecord(text);
  } catch (cause) {
    throw new AuditFault(segment.file, line.number, cause instanceof Error ? cause.message : 'unreadable', {
      cause,
    });
  }
  if (record.sequence === sequence) return record;
  throw new AuditFault(segment.file, line.number, `record ${record.sequence} stands in place of ${sequence}`);
}

/**
 * The records of a log that nobody needs to have open: for tail and export. Ends at an unfinished last line;
 * throws AuditFault for a broken one. Checks each record by itself; `verifyAuditLog` checks them all together.
 */
export async function* readAuditDirectory(
  directory: string,
  from: { readonly afterSequence?: number; readonly types?: readonly AuditEventType[] } = {},
): AsyncGenerator<AuditRecord> {
  const types = from.types === undefined ? null : new Set(from.types);
  yield* new RecordReader(directory, from.afterSequence ?? 0, types).read(Number.POSITIVE_INFINITY);
}
