import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { LIMITS } from '../core/index.ts';

const NEWLINE = 10;
const CHUNK_BYTES = 128 * 1024;

/** Where a line begins. */
export interface Place {
  /** 1 for the first. */
  readonly number: number;
  readonly offset: number;
}

export interface Line extends Place {
  /** Without the newline. */
  readonly bytes: Buffer;
  /** False for what stands behind the last newline. */
  readonly ended: boolean;
}

/** Text of a line, or null when the bytes are not UTF-8 (a lossy reading could hide a changed byte). */
export function textOf(line: Line): string | null {
  return isUtf8(line.bytes) ? line.bytes.toString('utf8') : null;
}

/**
 * The lines of a file, a batch at a time: memory stays the same whatever the size of the file. A line longer
 * than any record comes as one that has not ended, and is the last.
 */
export async function* readLines(
  file: string,
  from: Place = { number: 1, offset: 0 },
): AsyncGenerator<readonly Line[]> {
  const handle = await open(file, 'r');
  try {
    yield* linesOf(handle, from);
  } finally {
    await handle.close();
  }
}

async function* linesOf(handle: FileHandle, from: Place): AsyncGenerator<readonly Line[]> {
  let { number, offset } = from;
  let rest: Buffer = Buffer.alloc(0);
  for (;;) {
    const room = Buffer.allocUnsafe(rest.length + CHUNK_BYTES);
    rest.copy(room);
    const { bytesRead } = await handle.read(room, rest.length, CHUNK_BYTES, offset + rest.length);
    const filled = room.subarray(0, rest.length + bytesRead);
    const batch: Line[] = [];
    let start = 0;
    for (let end = filled.indexOf(NEWLINE); end >= 0; end = filled.indexOf(NEWLINE, start)) {
      batch.push({ number, offset: offset + start, bytes: filled.subarray(start, end), ended: true });
      number += 1;
      start = end + 1;
    }
    rest = filled.subarray(start);
    offset += start;
    const last = bytesRead === 0 || rest.length > LIMITS.auditRecordBytes;
    if (last && rest.length > 0) batch.push({ number, offset, bytes: rest, ended: false });
    if (batch.length > 0) yield batch;
    if (last) return;
  }
}
