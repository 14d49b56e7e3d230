/** Random numbers that a seed repeats (mulberry32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to `below` - 1. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  }

  of<T>(list: readonly T[]): T {
    const one = list[this.below(list.length)];
    if (one === undefined) throw new TypeError('nothing to choose from');
    return one;
  }
}

const ODD_BYTES = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x2e, 0x2f, 0x3a, 0x5c, 0x7f, 0x80, 0xc0, 0xff];
const MOST_BYTES = 16 * 1024;

/** One input made of another: bytes changed, taken out, doubled, put in, or spliced with a second input. */
export function mutate(
  chance: Chance,
  input: Uint8Array,
  o: { readonly dictionary: readonly Uint8Array[]; readonly corpus: readonly Uint8Array[] },
): Uint8Array {
  let bytes = Buffer.from(input);
  for (let change = chance.below(6); change >= 0; change--) {
    const at = chance.below(bytes.length + 1);
    const length = chance.below(Math.min(16, bytes.length - at + 1));
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (chance.below(7)) {
      case 0:
        bytes = Buffer.concat([head, Buffer.from([chance.of(ODD_BYTES)]), tail]);
        break;
      case 1:
        bytes = Buffer.concat([head, tail.subarray(length)]);
        break;
      case 2:
        bytes = Buffer.concat([head, tail.subarray(0, length), tail]);
        break;
      case 3:
        bytes = Buffer.concat([head, chance.of(o.dictionary), tail]);
        break;
      case 4:
        bytes = Buffer.concat([head, chance.of(o.dictionary), tail.subarray(length)]);
        break;
      case 5:
        if (tail.length > 0)
          bytes = Buffer.concat([head, Buffer.from([chance.below(256)]), tail.subarray(1)]);
        break;
      case 6: {
        const other = chance.of(o.corpus);
        bytes = Buffer.concat([head, other.subarray(chance.below(other.length + 1))]);
        break;
      }
    }
  }
  return bytes.subarray(0, MOST_BYTES);
}
