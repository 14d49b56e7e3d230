import { fold } from '../provenance/index.ts';

/** Values of the digits of a squeezed text: ten digits, then the letters. */
export const DIGITS = 36;
const LETTERS = 10;

/**
 * A text as decoys are compared: letters and digits alone, in lower case, whatever stands between them (spaces, quotes,
 * field borders, zero bytes of UTF-16, dots of host names) and whatever script they are borrowed from. One byte each, 0
 * to 35.
 */
export function squeeze(text: string): Uint8Array {
  const folded = fold(text);
  const digits = new Uint8Array(folded.length);
  let length = 0;
  for (let at = 0; at < folded.length; at += 1) {
    const code = folded.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) digits[length++] = code - 0x30;
    else if (code >= 0x61 && code <= 0x7a) digits[length++] = code - 0x61 + LETTERS;
  }
  return digits.subarray(0, length);
}

/** Letters turned by 13. */
export function rot13(digits: Uint8Array): Uint8Array {
  return digits.map((digit) => (digit < LETTERS ? digit : ((digit - LETTERS + 13) % 26) + LETTERS));
}
