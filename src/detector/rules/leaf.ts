import type { RuleEvent } from './event.ts';
import { compileExcept } from './except.ts';
import { Expression, type Match } from './expression.ts';
import { type Clauses, type Literals, literalOf } from './regex/literals.ts';
import type { Leaf } from './rule.ts';
import { Text } from './text.ts';

/** Where in which text a leaf holds. */
export interface Place {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A test of one text: whether it holds, and where. */
interface TextTest {
  /** Of each of these, at least one stands, in any case, in every text that it holds for. */
  readonly clauses: Clauses;
  /** `places`: where its literals end; null: it may be anywhere. */
  readonly holds: (text: Text, places: readonly number[] | null) => boolean;
  readonly place: (text: Text) => Omit<Place, 'text'> | null;
}

/** A leaf as it runs. */
export class CompiledLeaf {
  readonly leaf: Leaf;
  /** Of each of these, at least one stands in every text that it holds for. The first tells most. */
  readonly clauses: Clauses;
  readonly #test: TextTest;
  /** Numbers of the texts of its clauses in the scans of the rule set that it belongs to. */
  #ids: readonly (readonly number[])[] = [];

  /** Throws Error with a sentence when the leaf can't run. */
  constructor(leaf: Leaf) {
    this.leaf = leaf;
    this.#test = compileTest(leaf);
    this.clauses = this.#test.clauses;
  }

  /** From now on, texts are looked at only where its literals stand in their scan. */
  filterBy(idsOf: (literals: readonly string[]) => readonly number[]): void {
    this.#ids = this.clauses.map(idsOf);
  }

  /** At least one of these stands in an event that it holds for; null: none are known. */
  get trigger(): Literals {
    return this.clauses[0] ?? null;
  }

  holds(event: RuleEvent): boolean {
    return this.#textsOf(event).some((text) => this.#holdsFor(text));
  }

  place(event: RuleEvent): Place | null {
    for (const text of this.#textsOf(event)) {
      if (!this.#holdsFor(text)) continue;
      const place = this.#test.place(text);
      if (place !== null) return { text: text.value, start: place.start, end: place.end };
    }
    return null;
  }

  #textsOf(event: RuleEvent): readonly Text[] {
    const { field, encodings } = this.leaf;
    return encodings === true ? event.decodedTexts(field) : event.texts(field);
  }

  #holdsFor(text: Text): boolean {
    const { scan } = text;
    const [best] = this.#ids;
    if (best === undefined || scan === null) return this.#test.holds(text, null);
    if (this.#ids.some((ids) => !ids.some((id) => scan.has(id)))) return false;
    const places: number[] = [];
    for (const id of best) {
      const some = scan.placesOf(id);
      if (some === null) return this.#test.holds(text, null);
      places.push(...some);
    }
    return this.#test.holds(text, places);
  }
}

function compileTest(leaf: Leaf): TextTest {
  if (leaf.equals !== undefined) return wholeTest([leaf.equals]);
  if (leaf.oneOf !== undefined) return wholeTest(leaf.oneOf);
  if (leaf.contains !== undefined) return containsTest(leaf.contains);
  return regexTest(leaf);
}

function wholeTest(values: readonly string[]): TextTest {
  const known = new Set(values);
  const each = values.map(literalOf);
  return {
    clauses: each.every((one) => one !== null) ? [[...new Set(each.flatMap((one) => one ?? []))]] : [],
    holds: ({ value }) => known.has(value),
    place: ({ value }) => (known.has(value) ? { start: 0, end: value.length } : null),
  };
}

function containsTest(contains: string): TextTest {
  const wanted = contains.toLowerCase();
  const literals = literalOf(contains);
  return {
    clauses: literals === null ? [] : [literals],
    holds: ({ lower }) => lower.includes(wanted),
    place: ({ lower }) => {
      const start = lower.indexOf(wanted);
      return start < 0 ? null : { start, end: start + wanted.length };
    },
  };
}

/** Matches of one text whose values are looked at one by one. With more of them, no allow-list covers the text. */
const MAX_VALUES = 256;

function regexTest({ regex = '', dialect, words = [], except }: Leaf): TextTest {
  const expression = new Expression(regex, dialect);
  const lowerWords = words.map((word) => word.toLowerCase());
  const hasWord = ({ lower }: Text): boolean =>
    lowerWords.length === 0 || lowerWords.some((word) => lower.includes(word));
  const { clauses } = expression;
  if (except === undefined) {
    return {
      clauses,
      holds: (text, places) => hasWord(text) && search(expression, text, places),
      place: (text) => expression.first(text),
    };
  }
  const excepted = compileExcept(except);
  const find = (text: Text): Match | null => {
    if (!hasWord(text)) return null;
    let looked = 0;
    for (const match of expression.matches(text)) {
      looked += 1;
      if (looked > MAX_VALUES || !excepted(match.value)) return match;
    }
    return null;
  };
  return {
    clauses,
    holds: (text, places) => search(expression, text, places) && find(text) !== null,
    place: find,
  };
}

/** Shorter texts are looked at as a whole at once. */
const SHORT_CHARS = 256;

/**
 * Whether the expression matches somewhere. Where its matches are short and it is known where its literals stand, a look
 * around those says no without reading all of a long text; what they say yes to is asked of the text as a whole.
 */
function search(expression: Expression, text: Text, places: readonly number[] | null): boolean {
  const around = windowsOf(expression, text, places);
  if (around?.some((window) => expression.test(window)) === false) return false;
  return expression.test(text);
}

/** Null: the whole text is to be looked at. */
function windowsOf(
  { chars }: Expression,
  { value, budget, unitsPerChar }: Text,
  places: readonly number[] | null,
): readonly Text[] | null {
  if (places === null || chars === null || value.length <= SHORT_CHARS) return null;
  // A border at the edge of a window looks at the character beyond it.
  const reach = chars * unitsPerChar + 2;
  const windows: [from: number, to: number][] = [];
  for (const place of places.toSorted((a, b) => a - b)) {
    const last = windows.at(-1);
    const from = Math.max(0, place - reach);
    if (last !== undefined && from <= last[1]) last[1] = Math.min(value.length, place + reach);
    else windows.push([from, Math.min(value.length, place + reach)]);
  }
  const total = windows.reduce((sum, [from, to]) => sum + to - from, 0);
  if (total > value.length / 2) return null;
  return windows.map(([from, to]) => new Text(value.slice(from, to), budget));
}
