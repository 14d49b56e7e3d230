import type { Dialect } from '../rule.ts';
import { complement, type SetPart } from './syntax.ts';

type Range = readonly [from: number, to: number];

const DIGIT: readonly Range[] = [[0x30, 0x39]];
const WORD: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const SPACE_RE2: readonly Range[] = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
/** ECMA-262 WhiteSpace and LineTerminator; Python's differ in controls that no rule means. */
const SPACE_UNICODE: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
/** What the dot does not take: line ends. */
export const LINE_ENDS_JAVASCRIPT: readonly Range[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
export const NEWLINE: readonly Range[] = [[0x0a, 0x0a]];

/** What `\d`, `\w`, `\s` and their opposites stand for. */
export function shorthand(letter: string, dialect: Dialect): readonly SetPart[] {
  const opposite = letter === letter.toUpperCase();
  const small = letter.toLowerCase();
  if (small === 's') {
    const spaces = dialect === 're2' ? SPACE_RE2 : SPACE_UNICODE;
    return opposite ? complement(spaces) : spaces;
  }
  // In Python, letters and digits are those of all scripts.
  if (dialect === 'python' && !opposite)
    return small === 'd' ? ['\\p{Nd}'] : ['\\p{L}', '\\p{M}', '\\p{N}', [0x5f, 0x5f]];
  const ranges = small === 'd' ? DIGIT : WORD;
  return opposite ? complement(ranges) : ranges;
}
