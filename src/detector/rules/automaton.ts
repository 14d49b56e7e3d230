import { lower } from './regex/literals.ts';

/** Places of one literal that are kept; of more, the text is looked at as a whole. */
const MAX_PLACES = 16;

/** Which literals stand in a text, and where they end. */
export class Scan {
  readonly #places = new Map<number, number[]>();

  add(id: number, end: number): void {
    const places = this.#places.get(id);
    if (places === undefined) this.#places.set(id, [end]);
    else if (places.length <= MAX_PLACES) places.push(end);
  }

  has(id: number): boolean {
    return this.#places.has(id);
  }

  get ids(): Iterable<number> {
    return this.#places.keys();
  }

  /** Where the literal ends; null: at too many places. */
  placesOf(id: number): readonly number[] | null {
    const places = this.#places.get(id) ?? [];
    return places.length > MAX_PLACES ? null : places;
  }
}

/** Classes of characters: the ones that stand in literals, each with its capital; 0 for all others. */
function classesOf(literals: readonly string[]): { readonly of: Uint16Array; readonly count: number } {
  const of = new Uint16Array(0x10000);
  let count = 1;
  for (const literal of literals) {
    for (let i = 0; i < literal.length; i += 1) {
      const code = literal.charCodeAt(i);
      if (of[code] === 0) of[code] = count++;
    }
  }
  for (let code = 0; code < 0x10000; code += 1) {
    if (of[code] !== 0) continue;
    const small = lower(String.fromCharCode(code));
    if (small.length === 1) of[code] = of[small.charCodeAt(0)] ?? 0;
  }
  return { of, count };
}

/** Finds all of many literals in a text, ignoring case. The number of a literal is its place in the list. */
export class Automaton {
  readonly #ascii: Machine;
  /** Literals with other letters: few, of many different letters, in few texts. */
  readonly #other: Machine;

  /** `literals` are in lower case, different, and not empty. */
  constructor(literals: readonly string[]) {
    const numbered = literals.map((text, id) => ({ text, id }));
    this.#ascii = new Machine(numbered.filter(({ text }) => !NOT_ASCII.test(text)));
    this.#other = new Machine(numbered.filter(({ text }) => NOT_ASCII.test(text)));
  }

  scan(text: string): Scan {
    const scan = new Scan();
    this.#ascii.scan(text, scan);
    if (NOT_ASCII.test(text)) this.#other.scan(text, scan);
    return scan;
  }
}

const NOT_ASCII = /[^\0-\x7f]/;

interface Numbered {
  readonly text: string;
  readonly id: number;
}

/** Aho and Corasick 1975, with all transitions written out: one step a character. */
class Machine {
  readonly #classes: Uint16Array;
  readonly #width: number;
  /** State and class to state; states are their place in the table. */
  readonly #next: Int32Array;
  /** The literals that end in a state, by its number. */
  readonly #ends: readonly (readonly number[] | undefined)[];

  constructor(literals: readonly Numbered[]) {
    const { of, count } = classesOf(literals.map(({ text }) => text));
    this.#classes = of;
    this.#width = count;
    const states = literals.reduce((sum, { text }) => sum + text.length, 1);
    const next = new Int32Array(states * count);
    const ends: number[][] = [[]];
    let used = 1;
    for (const { text: literal, id } of literals) {
      let state = 0;
      for (let i = 0; i < literal.length; i += 1) {
        const at = state * count + (of[literal.charCodeAt(i)] ?? 0);
        if (next[at] === 0) {
          next[at] = used;
          ends.push([]);
          used += 1;
        }
        state = next[at] ?? 0;
      }
      ends[state]?.push(id);
    }
    const table = next.slice(0, used * count);
    this.#ends = withFailures(table, ends, count);
    this.#next = table;
  }

  scan(text: string, scan: Scan): void {
    const classes = this.#classes;
    const next = this.#next;
    const width = this.#width;
    const ends = this.#ends;
    let state = 0;
    for (let i = 0; i < text.length; i += 1) {
      state = next[state * width + (classes[text.charCodeAt(i)] ?? 0)] ?? 0;
      const ids = ends[state];
      if (ids !== undefined) for (const id of ids) scan.add(id, i + 1);
    }
  }
}

/** Fills in where each state goes on a character that does not go on in it; the literals that end in each. */
function withFailures(
  table: Int32Array,
  own: readonly number[][],
  width: number,
): readonly (readonly number[] | undefined)[] {
  const failure = new Int32Array(own.length);
  const ends: (number[] | undefined)[] = own.map((ids) => (ids.length > 0 ? ids : undefined));
  const queue: number[] = [];
  for (let c = 0; c < width; c += 1) {
    const state = table[c] ?? 0;
    if (state !== 0) queue.push(state);
  }
  for (let head = 0; head < queue.length; head += 1) {
    const state = queue[head] ?? 0;
    const fail = failure[state] ?? 0;
    const shorter = ends[fail];
    if (shorter !== undefined) ends[state] = [...(ends[state] ?? []), ...shorter];
    for (let c = 0; c < width; c += 1) {
      const at = state * width + c;
      const target = table[at] ?? 0;
      const otherwise = table[fail * width + c] ?? 0;
      if (target === 0) {
        table[at] = otherwise;
      } else {
        failure[target] = otherwise;
        queue.push(target);
      }
    }
  }
  return ends;
}
