import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { Budget } from './budget.ts';

/** What one packed piece may grow to; a decoy is short. */
const MAX_UNPACKED = 128 * 1024;
/** Nothing that was packed is shorter and holds a decoy. */
const MIN_PACKED = 12;
/** Brotli says how much comes out; what grows more than this was made to. */
const MAX_RATIO = 200;

type Unpack = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer;

/** What packed bytes hold, where they look packed. To try costs a hundred times what a look costs, and is counted. */
export function unpacked(bytes: Uint8Array, budget: Budget): readonly string[] {
  if (bytes.length < MIN_PACKED) return [];
  return packedBy(bytes).flatMap((unpack) => {
    if (!budget.unpack()) return [];
    try {
      return [unpack(bytes, { maxOutputLength: MAX_UNPACKED }).toString('utf8')];
    } catch {
      // It only looked packed.
      return [];
    }
  });
}

/** Whether the bytes say themselves that they are packed. */
export function isMarked(bytes: Uint8Array): boolean {
  return markedBy(bytes) !== null;
}

function packedBy(bytes: Uint8Array): readonly Unpack[] {
  const marked = markedBy(bytes);
  if (marked !== null) return [marked];
  return [
    ...(looksLikeBrotli(bytes) ? [brotliDecompressSync] : []),
    ...(looksDeflated(bytes) ? [inflateRawSync] : []),
  ];
}

function markedBy([first = 0, second = 0]: Uint8Array): Unpack | null {
  if (first === 0x1f && second === 0x8b) return gunzipSync;
  if (first === 0x28 && second === 0xb5) return zstdDecompressSync;
  return (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0 ? inflateSync : null;
}

/** Bits as both formats have them: the lowest of a byte first. */
class Bits {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit += 1, this.at += 1)
      value |= (((this.#bytes[this.at >> 3] ?? 0) >> (this.at & 7)) & 1) << bit;
    return value;
  }
}

/** RFC 7932 section 9.1 and 9.2: a window, and a first block whose length is likely. */
function looksLikeBrotli(bytes: Uint8Array): boolean {
  const bits = new Bits(bytes);
  if (bits.take(1) === 1 && bits.take(3) === 0) {
    if (bits.take(3) === 1) return false;
  }
  const last = bits.take(1) === 1;
  if (last && bits.take(1) === 1) return false;
  const nibbles = bits.take(2);
  if (nibbles === 3) return false;
  const length = bits.take((4 + nibbles) * 4) + 1;
  return length >= MIN_PACKED / 2 && length <= Math.min(MAX_UNPACKED, bytes.length * MAX_RATIO);
}

/** RFC 1951 section 3.2: what a decoder refuses in the first bytes, most of what only happens to stand there. */
function looksDeflated(bytes: Uint8Array): boolean {
  const bits = new Bits(bytes);
  bits.take(1);
  switch (bits.take(2)) {
    case 0: {
      const [, low = 0, high = 0, notLow = 0, notHigh = 0] = bytes;
      return (low ^ notLow) === 0xff && (high ^ notHigh) === 0xff;
    }
    case 1:
      return beginsWithText(bits);
    case 2:
      return hasWholeCode(bits);
    default:
      return false;
  }
}

/** Fixed codes: nothing can be copied before there is something, and the first letters are text. */
function beginsWithText(bits: Bits): boolean {
  let code = 0;
  for (let bit = 0; bit < 8; bit += 1) code = (code << 1) | bits.take(1);
  const literal = code - 0x30;
  return literal >= 0x09 && literal < 0x7f;
}

const LENGTHS = 19;
const CODE_SPACE = 2 ** 7;

/** Codes of its own: the lengths of the code that they are written in make it whole. */
function hasWholeCode(bits: Bits): boolean {
  if (bits.take(5) > 29 || bits.take(5) > 29) return false;
  const count = bits.take(4) + 4;
  let space = 0;
  for (let at = 0; at < Math.min(count, LENGTHS); at += 1) {
    const length = bits.take(3);
    if (length > 0) space += CODE_SPACE >> length;
  }
  return space === CODE_SPACE;
}
