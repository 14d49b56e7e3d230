import { LIMITS } from '../limits.ts';
import { Automaton, type Ending, type Standing, UNKNOWN } from './automaton.ts';

/** A place in the data where a form of a secret stands. Offsets count bytes since the matcher's first one. */
export interface NeedleHit {
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
  /** Index of the secret in the list that was compiled. */
  readonly secret: number;
}

/** Secrets, compiled for search in every encoding. Make it once for a set of secrets and keep it. */
export class Needles {
  readonly #automaton: Automaton;
  readonly #foldedTokens: readonly string[];
  readonly count: number;

  constructor(secrets: readonly Uint8Array[]) {
    for (const secret of secrets) {
      if (secret.length < LIMITS.secretMinBytes || secret.length > LIMITS.secretMaxBytes) {
        throw new TypeError(
          `a needle has ${LIMITS.secretMinBytes} to ${LIMITS.secretMaxBytes} bytes; this one has ${secret.length}`,
        );
      }
    }
    // Copies: spellings are derived when data asks for them, and the caller may wipe his bytes before that.
    this.#automaton = new Automaton(secrets.map((secret) => Uint8Array.from(secret)));
    this.#foldedTokens = secrets.map((secret) => String.fromCharCode(...secret).toLowerCase());
    this.count = secrets.length;
  }

  /**
   * Whether a secret stands in a field name, in any case: HTTP libraries turn names to lower case, and the
   * secret would be recognisable all the same.
   */
  inFieldName(name: string): boolean {
    const folded = name.toLowerCase();
    return this.#foldedTokens.some((token) => folded.includes(token));
  }

  /** A search through one stream of bytes, from its beginning. */
  matcher(): NeedleMatcher {
    return new NeedleMatcher(this.#automaton);
  }
}

/**
 * Compiles secrets for search. Throws `TypeError` when one is shorter than `LIMITS.secretMinBytes` (it would
 * be found by chance) or longer than `LIMITS.secretMaxBytes`. The needles hold copies of the secrets in
 * another shape: keep them as closely as the secrets themselves.
 */
export function compileNeedles(secrets: readonly Uint8Array[]): Needles {
  return new Needles(secrets);
}

const BLOCK_BYTES = 8 * 1024;
const SAMPLE_BYTES = 128;
const NO_HITS: readonly NeedleHit[] = [];

/** Finds every encoding of the secrets in one stream, whatever the chunks. */
export class NeedleMatcher {
  readonly #automaton: Automaton;
  #standing: Standing;
  #position = 0;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
    this.#standing = automaton.start();
  }

  /** Bytes seen so far. */
  get position(): number {
    return this.#position;
  }

  /** So many of the last bytes may be the beginning of a secret; never more than there is evidence for. */
  get depth(): number {
    return this.#standing.state.depth;
  }

  /** The hits that end in this chunk, in the order of their ends. They may begin in an earlier one. */
  push(chunk: Uint8Array): readonly NeedleHit[] {
    let hits: NeedleHit[] | null = null;
    for (let from = 0; from < chunk.length; from += BLOCK_BYTES) {
      const block = chunk.subarray(from, from + BLOCK_BYTES);
      const found = this.#scan(block);
      this.#position += block.length;
      if (found !== null) hits = hits === null ? found : hits.concat(found);
    }
    return hits ?? NO_HITS;
  }

  /** The hot loop: about a nanosecond a byte where most bytes begin nothing, three elsewhere. */
  #scan(block: Uint8Array): NeedleHit[] | null {
    const automaton = this.#automaton;
    const { idle } = automaton;
    const length = block.length;
    // Skipping costs a mispredicted branch at each end of a run, so it pays only where runs are long.
    const skips = idleShare(block, idle) >= 0.5;
    let row = automaton.rowOf(this.#standing);
    let table = automaton.table;
    let hits: NeedleHit[] | null = null;
    let at = 0;
    while (at < length) {
      if (skips && row === 0) {
        while (at < length && idle[block[at] as number] === 1) at++;
        if (at === length) break;
      }
      const byte = block[at++] as number;
      let target = table[row + byte] as number;
      if (target >= 0) {
        row = target;
        continue;
      }
      if (target === UNKNOWN) {
        target = automaton.step(row, byte);
        table = automaton.table;
      }
      if (target >= 0) {
        row = target;
        continue;
      }
      row = automaton.endingRow(target);
      hits ??= [];
      for (const ending of automaton.endingsOf(row)) hits.push(toHit(ending, this.#position + at));
    }
    this.#standing = automaton.standing(row);
    return hits;
  }

  /** The data ends here: a secret of which a long enough beginning stands at the end counts as one. */
  end(): readonly NeedleHit[] {
    const hits = this.#automaton.cutOffs(this.#standing).map((ending) => toHit(ending, this.#position));
    this.#standing = this.#automaton.start();
    return hits;
  }
}

/** Which part of the block's first bytes begins nothing. */
function idleShare(block: Uint8Array, idle: Uint8Array): number {
  const length = Math.min(SAMPLE_BYTES, block.length);
  let count = 0;
  for (let at = 0; at < length; at++) count += idle[block[at] as number] as number;
  return count / length;
}

function toHit({ secret, age }: Ending, end: number): NeedleHit {
  return { start: end - age, end, secret };
}
