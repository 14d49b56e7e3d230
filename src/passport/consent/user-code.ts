import { randomInt } from 'node:crypto';

/** No vowels, so that no words come about, and nothing that looks like a digit (RFC 8628 section 6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const CHARS = 8;

/** Eight of twenty letters: 34 bits, which last a few minutes. */
export function newUserCode(): string {
  return Array.from({ length: CHARS }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}

/** As people read it. */
export function shownUserCode(code: string): string {
  return `${code.slice(0, CHARS / 2)}-${code.slice(CHARS / 2)}`;
}

/** What somebody typed, in the one spelling; null: it is no such code. */
export function readUserCode(typed: string): string | null {
  const code = typed.toUpperCase().replaceAll(/[\s-]/g, '');
  return code.length === CHARS && [...code].every((letter) => LETTERS.includes(letter)) ? code : null;
}
