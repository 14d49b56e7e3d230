import { readFile } from 'node:fs/promises';
import { hasCode } from '../files/index.ts';
import { MerkleTree } from './tree.ts';

/** The peaks of a tree as lines of hex. */
export function formatPeaks(peaks: readonly Buffer[]): string {
  return peaks.map((peak) => `${peak.toString('hex')}\n`).join('');
}

/** The tree over `size` records as its file tells it; null when the file is missing or is not whole. */
export async function readPeaks(file: string, size: number): Promise<MerkleTree | null> {
  if (size === 0) return new MerkleTree();
  const text = await readTextIfThere(file);
  if (text === null || !/^(?:[0-9a-f]{64}\n)+$/.test(text)) return null;
  const peaks = text
    .trimEnd()
    .split('\n')
    .map((line) => Buffer.from(line, 'hex'));
  try {
    return new MerkleTree(size, peaks);
  } catch {
    return null;
  }
}

export async function readTextIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (fault) {
    if (hasCode(fault, 'ENOENT')) return null;
    throw fault;
  }
}
