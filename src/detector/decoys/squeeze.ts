import { fold } from '../provenance/index.ts';

const LETTERS = 10;

/** Value of each ASCII character; -1: it is passed over. */
const VALUES = new Int8Array(128).fill(-1);
for (let digit = 0; digit < 10; digit += 1) VALUES[0x30 + digit] = digit;
for (let letter = 0; letter < 26; letter += 1) {
  VALUES[0x41 + letter] = LETTERS + letter;
  VALUES[0x61 + letter] = LETTERS + letter;
}

/**
 * A text as decoys are compared: letters and digits alone, in lower case, whatever stands between them (spaces, quotes,
 * field borders, zero bytes of UTF-16, dots of host names) and whatever script they are borrowed from. One byte each, 0
 * to 35.
 */
export function squeeze(text: string): Uint8Array {
  return squeezed(text) ?? squeezed(fold(text), true) ?? new Uint8Array();
}

/** Null when there is more than ASCII in it and that is not to be passed over. */
function squeezed(text: string, passOver = false): Uint8Array | null {
  const digits = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) {
      if (passOver) continue;
      return null;
    }
    const value = VALUES[code] as number;
    if (value >= 0) digits[length++] = value;
  }
  return digits.subarray(0, length);
}

/** What each letter is when it is turned by 13. */
export const ROT13 = Uint8Array.from({ length: LETTERS + 26 }, (_, digit) =>
  digit < LETTERS ? digit : ((digit - LETTERS + 13) % 26) + LETTERS,
);
