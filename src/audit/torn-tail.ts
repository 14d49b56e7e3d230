import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasCode, syncFolder } from '../files/index.ts';
import { cutFile } from './files.ts';
import { type Line, textOf } from './lines.ts';
import { decodeRecord } from './record.ts';

/**
 * What a death in the middle of a write leaves: a line without its newline, a last line that is not whole, or
 * (after a power cut) a line with bytes that never reached the disk and read as zero, which JSON never holds.
 */
export function isTorn(line: Line, fileBytes: number): boolean {
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
export async function moveTail(file: string, offset: number): Promise<void> {
  for (let number = 1; ; number++) {
    try {
      const side = await open(`${file}.torn-${number}`, 'wx', 0o600);
      await pipeline(createReadStream(file, { start: offset }), side.createWriteStream({ flush: true }));
      break;
    } catch (fault) {
      if (!hasCode(fault, 'EEXIST')) throw fault;
    }
  }
  await syncFolder(dirname(file));
  await cutFile(file, offset);
}
