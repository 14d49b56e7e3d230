import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../files/index.ts';
import { AuditFault } from './fault.ts';

/** One file of the log: JSON lines, named after the sequence number of its first record. */
export interface Segment {
  readonly first: number;
  readonly file: string;
}

/** Where signed notes are appended: JSON lines with the single member `note`. */
export const CHECKPOINTS = 'checkpoints.jsonl';

const DIGITS = 16;
const NAME = /^([0-9]{16})\.jsonl$/;

export function segmentFile(directory: string, first: number): string {
  return join(directory, `${String(first).padStart(DIGITS, '0')}.jsonl`);
}

/** Beside each segment: the peaks of the tree over everything before it, so that opening need not read it all. */
export function peaksFile(directory: string, first: number): string {
  return join(directory, `${String(first).padStart(DIGITS, '0')}.peaks`);
}

/** In the order of the log. Throws AuditFault when the folder can't be read. */
export async function listSegments(directory: string): Promise<Segment[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (cause) {
    const reason = hasCode(cause, 'ENOENT')
      ? 'there is no audit log in this place'
      : 'the folder can not be read';
    throw new AuditFault(directory, null, reason, { cause });
  }
  return names
    .flatMap((name) => {
      const first = NAME.exec(name)?.[1];
      return first === undefined ? [] : [{ first: Number(first), file: join(directory, name) }];
    })
    .sort((one, other) => one.first - other.first);
}
