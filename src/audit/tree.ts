import { hash as digest } from 'node:crypto';

/** Hash of a leaf (RFC 6962 section 2.1): the record's line behind a zero byte, so that no leaf is a node. */
export function leafHash(line: string): Buffer {
  return digest('sha256', `\0${line}`, 'buffer');
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = new Uint8Array(65);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 33);
  return digest('sha256', bytes, 'buffer');
}

/**
 * The Merkle tree of RFC 6962 over all records, kept as its peaks alone: the roots of the perfect subtrees,
 * from the largest to the smallest. Memory grows with the logarithm of the size.
 */
export class MerkleTree {
  #size: number;
  readonly #peaks: Buffer[];

  /** An empty tree, or one that goes on from the peaks of `size` leaves. */
  constructor(size = 0, peaks: readonly Buffer[] = []) {
    if (peaks.length !== countOnes(size)) throw new TypeError('the peaks do not belong to that size');
    this.#size = size;
    this.#peaks = [...peaks];
  }

  get size(): number {
    return this.#size;
  }

  get peaks(): readonly Buffer[] {
    return [...this.#peaks];
  }

  append(leaf: Buffer): void {
    let hash = leaf;
    // Sizes pass 2^31, so no bit operators: each trailing one of the size is a peak that the leaf completes.
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.#peaks.pop();
      if (left === undefined) throw new TypeError('the tree lost a peak');
      hash = nodeHash(left, hash);
    }
    this.#peaks.push(hash);
    this.#size += 1;
  }

  root(): Buffer {
    const last = this.#peaks.at(-1);
    if (last === undefined) return digest('sha256', '', 'buffer');
    return this.#peaks.slice(0, -1).reduceRight<Buffer>((right, left) => nodeHash(left, right), last);
  }
}

function countOnes(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}
