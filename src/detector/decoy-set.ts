import { compileNeedles, type NeedleHit, type NeedleMatcher, type Needles } from '../core/index.ts';
import type { DecoyRecord } from './store.ts';

/** The decoys of a tenant, compiled for search in every encoding. */
export class DecoySet {
  readonly decoys: readonly DecoyRecord[];
  readonly #exact: Needles;
  /** Names of hosts and mailboxes are the same in any case, and libraries turn field names to lower case. */
  readonly #folded: Needles;

  constructor(decoys: readonly DecoyRecord[]) {
    this.decoys = decoys;
    this.#exact = compileNeedles(decoys.map(({ value }) => Buffer.from(value, 'utf8')));
    this.#folded = compileNeedles(decoys.map(({ value }) => fold(Buffer.from(value, 'utf8'))));
  }

  /** Whether it was made of the same decoys: then it needs no compiling again. */
  holds(decoys: readonly DecoyRecord[]): boolean {
    return (
      decoys.length === this.decoys.length &&
      decoys.every(
        ({ id, value }, index) => this.decoys[index]?.id === id && this.decoys[index].value === value,
      )
    );
  }

  /** The decoys in a whole text. */
  findIn(bytes: Uint8Array): readonly DecoyRecord[] {
    return this.search().push(bytes);
  }

  /** A search through one stream, whatever its chunks. */
  search(): DecoySearch {
    return new DecoySearch(this.decoys, this.#exact.matcher(), this.#folded.matcher());
  }
}

/**
 * Only whole decoys count. A decoy that the end of the data cuts off could be a word that it begins with, and a
 * false alarm about a decoy costs the trust in every later one.
 */
export class DecoySearch {
  readonly #decoys: readonly DecoyRecord[];
  readonly #matchers: readonly [exact: NeedleMatcher, folded: NeedleMatcher];

  constructor(decoys: readonly DecoyRecord[], exact: NeedleMatcher, folded: NeedleMatcher) {
    this.#decoys = decoys;
    this.#matchers = [exact, folded];
  }

  /** The decoys that end in this chunk. */
  push(chunk: Uint8Array): readonly DecoyRecord[] {
    const [exact, folded] = this.#matchers;
    return this.#named([...exact.push(chunk), ...folded.push(fold(chunk))]);
  }

  #named(hits: readonly NeedleHit[]): readonly DecoyRecord[] {
    return [...new Set(hits.map(({ secret }) => secret))].flatMap((index) => this.#decoys[index] ?? []);
  }
}

/** ASCII letters in lower case; every other byte, and the length, as they are. */
function fold(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
}
