import { type Chain, ChainBuilder } from './chains.ts';
import type { GlyphNode } from './glyph.ts';

/** One encoding of one secret that may be under way: where in its chain, where in the character, how long. */
interface Thread {
  readonly chain: Chain;
  /** The character of the chain. */
  readonly at: number;
  readonly node: GlyphNode;
  /** Bytes since the first one. */
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

/** One column for each byte. */
const WIDTH = 256;
/** A transition that the table does not know yet: ask `step`. */
export const UNKNOWN = -1;
/** A transition after which secrets end is stored as this minus the row: negative, and not `UNKNOWN`. */
const ENDING = -2;
/** Rows are made as data needs them; past either bound the rows are dropped and made again. */
const MAX_STATES = 2048;
const MAX_THREADS = 1 << 18;
const FIRST_STATES = 32;

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
  /** For each byte, the threads that begin with it. */
  readonly #beginnings: readonly Thread[][] = Array.from({ length: WIDTH }, () => []);
  /** 1 for bytes that begin nothing: in the first state they are skipped. */
  readonly idle = new Uint8Array(WIDTH).fill(1);
  #table = new Int32Array(FIRST_STATES * WIDTH).fill(UNKNOWN);
  #states: State[] = [];
  #rows = new Map<string, number>();
  #threadCount = 0;
  #generation = 0;

  constructor(secrets: readonly Uint8Array[]) {
    const builder = new ChainBuilder();
    for (const [secret, bytes] of secrets.entries()) {
      for (const chain of builder.chainsOf(secret, bytes)) this.#begin(chain);
    }
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
    return standing.state.threads
      .filter(({ chain, at }) => at >= chain.cutOff)
      .map(({ chain, age }) => ({ secret: chain.secret, age }));
  }

  /** The transition that the table does not know yet. */
  step(row: number, byte: number): number {
    const threads: Thread[] = [];
    const endings: Ending[] = [];
    for (const thread of this.#stateOf(row).threads) advance(thread, byte, threads, endings);
    threads.push(...(this.#beginnings[byte] ?? []));
    const generation = this.#generation;
    const target = this.#intern(toState(threads, endings));
    const entry = endings.length > 0 ? ENDING - target : target;
    if (generation === this.#generation) this.#table[row + byte] = entry;
    return entry;
  }

  /** The row of a transition after which secrets end. */
  endingRow(entry: number): number {
    return ENDING - entry;
  }

  #begin(chain: Chain): void {
    const node = chain.glyphAt(0);
    for (const byte of node.next.keys()) {
      this.idle[byte] = 0;
      advance({ chain, at: 0, node, age: 0 }, byte, this.#beginnings[byte] ?? [], []);
    }
  }

  #intern(state: State): number {
    const key = keyOf(state);
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    if (this.#states.length >= MAX_STATES || this.#threadCount > MAX_THREADS) this.#reset();
    const row = this.#states.length * WIDTH;
    this.#states.push(state);
    this.#rows.set(key, row);
    this.#threadCount += state.threads.length;
    if (row + WIDTH > this.#table.length) {
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
    const state = this.#states[row / WIDTH];
    if (state === undefined) throw new TypeError('this row belongs to an older generation of the automaton');
    return state;
  }
}

/** What becomes of a thread with the next byte: it goes on in its character, in the next one, or ends. */
function advance(thread: Thread, byte: number, threads: Thread[], endings: Ending[]): void {
  const node = thread.node.next.get(byte);
  if (node === undefined) return;
  const { chain } = thread;
  const age = thread.age + 1;
  // A longer way to write the same character may follow (`\\` behind `\`).
  if (node.next.size > 0) threads.push({ chain, at: thread.at, node, age });
  if (!node.accepts) return;
  const at = thread.at + 1;
  if (at === chain.length) endings.push({ secret: chain.secret, age });
  else threads.push({ chain, at, node: chain.glyphAt(at), age });
}

/** Of threads at the same point, the oldest alone matters: it began leftmost. */
function toState(threads: readonly Thread[], endings: readonly Ending[]): State {
  const oldest = new Map<number, Thread>();
  for (const thread of threads) {
    const point = (thread.chain.base + thread.at) * 0x4000000 + thread.node.id;
    const known = oldest.get(point);
    if (known === undefined || known.age < thread.age) oldest.set(point, thread);
  }
  const kept = [...oldest.values()];
  return { threads: kept, endings, depth: kept.reduce((depth, thread) => Math.max(depth, thread.age), 0) };
}

function keyOf(state: State): string {
  const threads = state.threads.map(({ chain, at, node, age }) => `${chain.base + at}.${node.id}.${age}`);
  return `${threads.join()};${state.endings.map(({ secret, age }) => `${secret}.${age}`).join()}`;
}
