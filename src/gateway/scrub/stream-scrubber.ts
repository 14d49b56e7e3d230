import type { NeedleMatcher, Needles } from '../../core/index.ts';
import { type Interval, joinOverlapping } from './intervals.ts';
import { writeMask, writeMaskRest } from './mask.ts';

const NOTHING = new Uint8Array();

/**
 * Takes every form of the secrets out of one stream of bytes (G1). Bytes leave as soon as they can't belong to
 * a secret any more: what is held back is exactly as long as the longest beginning of a form that stands at
 * the end of the data so far (rule 7 of docs/guarantees.md), so event streams flow.
 *
 * At the end of the data, the beginning of a secret counts as the secret (the upstream may have been cut off)
 * when it is half of it, at least 7 and at most 12 bytes; shorter ones leave unchanged. The output has the
 * same length as the input.
 */
export class StreamScrubber {
  readonly #matcher: NeedleMatcher;
  /** The last bytes of the input, not yet let go; they begin at offset `#released`. */
  #held: Uint8Array = NOTHING;
  #released = 0;
  /** Found, and not let go of yet. */
  #found: Interval[] = [];
  /** Up to here the output is mask already. */
  #maskedUpTo = 0;
  #hits = 0;
  #ended = false;

  constructor(needles: Needles) {
    this.#matcher = needles.matcher();
  }

  /** How many places were masked so far. */
  get hits(): number {
    return this.#hits;
  }

  /** Bytes that are held back at the moment. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** What may leave now. It may be `chunk` itself, which is never changed. */
  push(chunk: Uint8Array): Uint8Array {
    if (this.#ended) throw new TypeError('this scrubber has ended; make one for each body');
    const hits = this.#matcher.push(chunk);
    if (hits.length > 0) this.#found = joinOverlapping([...this.#found, ...hits]);
    const safe = this.#matcher.position - this.#matcher.depth;
    // A finding that reaches past what is safe leaves whole: all of it is mask, whatever comes next.
    const across = this.#found.find(({ start, end }) => start < safe && end > safe);
    return this.#release(this.#join(chunk), across?.end ?? safe);
  }

  /** The rest. */
  end(): Uint8Array {
    if (this.#ended) return NOTHING;
    this.#ended = true;
    const cut = this.#matcher.end();
    if (cut.length > 0) this.#found = joinOverlapping([...this.#found, ...cut]);
    return this.#release(this.#held, this.#matcher.position);
  }

  #join(chunk: Uint8Array): Uint8Array {
    if (this.#held.length === 0) return chunk;
    const joined = new Uint8Array(this.#held.length + chunk.length);
    joined.set(this.#held);
    joined.set(chunk, this.#held.length);
    return joined;
  }

  #release(data: Uint8Array, upTo: number): Uint8Array {
    const base = this.#released;
    const count = Math.max(0, upTo - base);
    // A copy, so that a few held bytes do not keep a large chunk alive.
    this.#held = count === data.length ? NOTHING : copyOf(data, count, data.length);
    this.#released = base + count;
    const due = this.#found.filter(({ start }) => start < this.#released);
    if (due.length === 0) return count === data.length ? data : data.subarray(0, count);
    this.#found = this.#found.filter(({ start }) => start >= this.#released);
    const output = copyOf(data, 0, count);
    for (const { start, end } of due) this.#mask(output, base, start, end);
    return output;
  }

  #mask(output: Uint8Array, base: number, start: number, end: number): void {
    if (start < this.#maskedUpTo) {
      // It begins inside a finding that has left: the mask goes on.
      writeMaskRest(output.subarray(Math.max(0, this.#maskedUpTo - base), Math.max(0, end - base)));
    } else {
      writeMask(output.subarray(start - base, end - base));
      this.#hits++;
    }
    this.#maskedUpTo = Math.max(this.#maskedUpTo, end);
  }
}

/** Buffer's own `slice` would share the memory, and the mask would be written into the caller's chunk. */
function copyOf(data: Uint8Array, from: number, to: number): Uint8Array {
  return Uint8Array.prototype.slice.call(data, from, to);
}
