import type { RuleEvent } from './event.ts';
import { compileExcept } from './except.ts';
import { Expression } from './expression.ts';
import type { Leaf } from './rule.ts';

/** Where in which text a leaf holds. */
export interface Place {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A test of one text: whether it holds, and where. */
export interface TextTest {
  readonly holds: (text: string) => boolean;
  readonly place: (text: string) => Omit<Place, 'text'> | null;
}

export interface CompiledLeaf {
  readonly leaf: Leaf;
  readonly test: TextTest;
  readonly holds: (event: RuleEvent) => boolean;
  readonly place: (event: RuleEvent) => Place | null;
}

/** Matches of one text whose values are looked at one by one. With more of them, no allow-list covers the text. */
const MAX_VALUES = 256;

/** Throws Error with a sentence when the leaf can't run. */
export function compileLeaf(leaf: Leaf): CompiledLeaf {
  const test = compileTest(leaf);
  const textsOf =
    leaf.encodings === true
      ? (event: RuleEvent) => event.decodedTexts(leaf.field)
      : (event: RuleEvent) => event.texts(leaf.field);
  return {
    leaf,
    test,
    holds: (event) => textsOf(event).some(test.holds),
    place: (event) => {
      for (const text of textsOf(event)) {
        const place = test.place(text);
        if (place !== null) return { text, ...place };
      }
      return null;
    },
  };
}

function compileTest(leaf: Leaf): TextTest {
  if (leaf.equals !== undefined) return wholeTest(new Set([leaf.equals]));
  if (leaf.oneOf !== undefined) return wholeTest(new Set(leaf.oneOf));
  if (leaf.contains !== undefined) return containsTest(leaf.contains);
  return regexTest(leaf);
}

function wholeTest(known: ReadonlySet<string>): TextTest {
  const holds = (text: string): boolean => known.has(text);
  return { holds, place: (text) => (holds(text) ? { start: 0, end: text.length } : null) };
}

function containsTest(contains: string): TextTest {
  const wanted = contains.toLowerCase();
  const at = (text: string): number => text.toLowerCase().indexOf(wanted);
  return {
    holds: (text) => at(text) >= 0,
    place: (text) => {
      const start = at(text);
      return start < 0 ? null : { start, end: start + wanted.length };
    },
  };
}

function regexTest({ regex = '', words = [], except }: Leaf): TextTest {
  const expression = new Expression(regex);
  const lowerWords = words.map((word) => word.toLowerCase());
  const hasWord = (text: string): boolean => {
    if (lowerWords.length === 0) return true;
    const lower = text.toLowerCase();
    return lowerWords.some((word) => lower.includes(word));
  };
  if (except === undefined) {
    return {
      holds: (text) => hasWord(text) && expression.test(text),
      place: (text) => (hasWord(text) ? expression.first(text) : null),
    };
  }
  const excepted = compileExcept(except);
  const place: TextTest['place'] = (text) => {
    if (!hasWord(text)) return null;
    let looked = 0;
    for (const match of expression.matches(text)) {
      looked += 1;
      if (looked > MAX_VALUES || !excepted(match.value)) return match;
    }
    return null;
  };
  return { holds: (text) => place(text) !== null, place };
}
