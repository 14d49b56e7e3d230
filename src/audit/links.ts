import { open } from 'node:fs/promises';
import { AuditFault } from './fault.ts';
import { type AuditRecord, decodeRecord, RecordFault } from './record.ts';
import type { Segment } from './segments.ts';

/**
 * Checks that each segment follows the one before it, by their first and last records. Gives the record before the
 * last segment; null when there is only one. Throws AuditFault.
 */
export async function checkLinks(segments: readonly Segment[]): Promise<AuditRecord | null> {
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
