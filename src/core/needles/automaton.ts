import { ChainBuilder } from './chains.ts';
import type { GlyphNode } from './glyph.ts';

/** One encoding of one secret that may be under way: where in its chain, where in the character, how long. */
interface Thread {
  /** Index into the automaton's table of places (a character of a chain). */
  readonly place: number;
  readonly node: GlyphNode;
  /** Bytes since its first one. */
  readonly age: number;
}

/** A secret that ends here, and how many bytes ago it began. */
export interface Ending {
  readonly secret: number;
  readonly age: number;
}

interface State {
  readonly threads: readonly Thread[];
  readonly endings: readonly Ending[];
  /** Age of the oldest thread: so many bytes may belong to a secret that has not ended yet. */
  readonly depth: number;
}

interface Place {
  readonly glyph: GlyphNode;
  readonly secret: number;
  readonly last: boolean;
  /** True when a secret that stops here at the end of the data counts as one, cut off. */
  readonly cutOff: boolean;
}

const UNKNOWN = -1;
/** Rows are made as data needs them; past either bound the rows are dropped and made again. */
const MAX_STATES = 4096;
const MAX_THREADS = 1 << 18;

/** Where a matcher stands between two chunks; survives that the automaton drops its rows. */
export interface Standing {
  readonly state: State;
  readonly row: number;
  readonly generation: number;
}

/**
 * An Aho–Corasick automaton over bytes whose goto table is filled in as data needs it: the needles are not
 * strings but chains of characters with several spellings each, and all their combinations (both cases of
 * every hex digit alone) could not be enumerated. One table look-up a byte once a row is known. A state is
 * the set of all encodings that may be under way, with their ages, so that its depth is exact.
 *
 * The table is bounded (MAX_STATES rows): hostile data can make it build rows again, not grow.
 */
export class Automaton {
  readonly #places: Place[] = [];
  /** For each byte, the threads that begin with it. */
  readonly #beginnings: readonly Thread[][] = Array.from({ length: 256 }, () => []);
  /** Bytes that no spelling holds share class 0. */
  readonly classes = new Uint8Array(256);
  readonly width: number;
  /** 1 for bytes that begin nothing: in the first state they are skipped. */
  readonly idle = new Uint8Array(256).fill(1);
  #table: Int32Array;
  #states: State[] = [];
  #rows = new Map<string, number>();
  #threadCount = 0;
  #generation = 0;

  constructor(secrets: readonly Uint8Array[]) {
    const builder = new ChainBuilder();
    const roots: number[] = [];
    for (const [secret, bytes] of secrets.entries()) {
      for (const chain of builder.chainsOf(secret, bytes)) {
        roots.push(this.#places.length);
        for (const [at, glyph] of chain.glyphs.entries()) {
          const last = at === chain.glyphs.length - 1;
          this.#places.push({ glyph, secret, last, cutOff: at >= chain.cutOff });
        }
      }
    }
    const used = bytesOf(new Set(this.#places.map((place) => place.glyph)));
    for (const [index, byte] of used.entries()) this.classes[byte] = used.length === 256 ? index : index + 1;
    this.width = used.length === 256 ? 256 : used.length + 1;
    for (const place of roots) {
      const glyph = this.#places[place]?.glyph;
      for (const byte of glyph?.next.keys() ?? []) {
        this.idle[byte] = 0;
        const endings: Ending[] = [];
        const threads: Thread[] = [];
        if (glyph !== undefined) this.#advance({ place, node: glyph, age: 0 }, byte, threads, endings);
        this.#beginnings[byte]?.push(...threads);
      }
    }
    this.#table = new Int32Array(64 * this.width).fill(UNKNOWN);
    this.#reset();
  }

  get table(): Int32Array {
    return this.#table;
  }

  /** The standing of a matcher that has seen nothing. */
  start(): Standing {
    return this.standing(0);
  }

  standing(row: number): Standing {
    return { state: this.#stateOf(row), row, generation: this.#generation };
  }

  /** The row of a standing; it is made again when rows were dropped since. */
  rowOf(standing: Standing): number {
    return standing.generation === this.#generation ? standing.row : this.#intern(standing.state);
  }

  depthOf(row: number): number {
    return this.#stateOf(row).depth;
  }

  endingsOf(row: number): readonly Ending[] {
    return this.#stateOf(row).endings;
  }

  /** The secrets that count as cut off when the data ends here. */
  cutOffs(standing: Standing): Ending[] {
    return standing.state.threads.flatMap((thread) => {
      const place = this.#places[thread.place];
      return place?.cutOff ? [{ secret: place.secret, age: thread.age }] : [];
    });
  }

  /** The transition that the table does not know yet: the row, or its complement when secrets end there. */
  step(row: number, byte: number): number {
    const threads: Thread[] = [];
    const endings: Ending[] = [];
    for (const thread of this.#stateOf(row).threads) this.#advance(thread, byte, threads, endings);
    const all = threads.concat(this.#beginnings[byte] ?? []);
    const generation = this.#generation;
    const target = this.#intern(toState(all, endings));
    const entry = endings.length > 0 ? ~target - 1 : target;
    if (generation === this.#generation) this.#table[row + (this.classes[byte] ?? 0)] = entry;
    return entry;
  }

  #advance(thread: Thread, byte: number, threads: Thread[], endings: Ending[]): void {
    const node = thread.node.next.get(byte);
    if (node === undefined) return;
    const age = thread.age + 1;
    if (node.next.size > 0) threads.push({ place: thread.place, node, age });
    if (!node.accepts) return;
    const place = this.#places[thread.place];
    if (place === undefined) return;
    if (place.last) {
      endings.push({ secret: place.secret, age });
      return;
    }
    const following = this.#places[thread.place + 1];
    if (following !== undefined) threads.push({ place: thread.place + 1, node: following.glyph, age });
  }

  #intern(state: State): number {
    const key = keyOf(state);
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    if (this.#states.length >= MAX_STATES || this.#threadCount > MAX_THREADS) this.#reset();
    const row = this.#states.length * this.width;
    this.#states.push(state);
    this.#rows.set(key, row);
    this.#threadCount += state.threads.length;
    if (row + this.width > this.#table.length) {
      const larger = new Int32Array(this.#table.length * 2).fill(UNKNOWN);
      larger.set(this.#table);
      this.#table = larger;
    }
    return row;
  }

  #reset(): void {
    this.#generation++;
    this.#table.fill(UNKNOWN);
    this.#states = [];
    this.#rows = new Map();
    this.#threadCount = 0;
    const first: State = { threads: [], endings: [], depth: 0 };
    this.#states.push(first);
    this.#rows.set(keyOf(first), 0);
  }

  #stateOf(row: number): State {
    const state = this.#states[row / this.width];
    if (state === undefined) throw new TypeError('this row belongs to an older generation of the automaton');
    return state;
  }
}

/** Of threads at the same point, the oldest alone matters: it began leftmost. */
function toState(threads: readonly Thread[], endings: readonly Ending[]): State {
  const oldest = new Map<number, Thread>();
  for (const thread of threads) {
    const point = thread.place * 0x100000 + thread.node.id;
    const known = oldest.get(point);
    if (known === undefined || known.age < thread.age) oldest.set(point, thread);
  }
  const kept = [...oldest.values()];
  return { threads: kept, endings, depth: kept.reduce((depth, thread) => Math.max(depth, thread.age), 0) };
}

function keyOf(state: State): string {
  const threads = state.threads.map(({ place, node, age }) => `${place}.${node.id}.${age}`);
  return `${threads.join()};${state.endings.map(({ secret, age }) => `${secret}.${age}`).join()}`;
}

function bytesOf(roots: ReadonlySet<GlyphNode>): number[] {
  const seen = new Set<GlyphNode>(roots);
  const bytes = new Set<number>();
  for (const node of seen) {
    for (const [byte, child] of node.next) {
      bytes.add(byte);
      seen.add(child);
    }
  }
  return [...bytes].sort((one, other) => one - other);
}
