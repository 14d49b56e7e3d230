const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const NO_VALUE = 255;

const VALUES = new Uint8Array(128).fill(NO_VALUE);
for (const [value, character] of [...ALPHABET].entries()) VALUES[character.charCodeAt(0)] = value;

/**
 * Bytes of a base64url text (RFC 4648 section 5), or null when it is not the one canonical form: a character
 * outside the alphabet, padding, white space, or set bits that stand for no byte. Lenient decoders give one
 * token many spellings, and a spelling that two programs read differently is a way round a block list.
 */
export function decodeBase64url(text: string): Uint8Array | null {
  const rest = text.length % 4;
  if (rest === 1) return null;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (let index = 0; index < text.length; index += 1) {
    const value = VALUES[text.charCodeAt(index)] ?? NO_VALUE;
    if (value === NO_VALUE) return null;
    bits = ((bits << 6) | value) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[length] = (bits >> held) & 0xff;
    length += 1;
  }
  return (bits & ((1 << held) - 1)) === 0 ? bytes : null;
}

/** Canonical base64url without padding. */
export function encodeBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index += 3) {
    const [one = 0, two = 0, three = 0] = bytes.subarray(index, index + 3);
    const group = (one << 16) | (two << 8) | three;
    const characters = Math.min(4, bytes.length - index + 1);
    for (let place = 0; place < characters; place += 1) {
      text += ALPHABET[(group >> (18 - 6 * place)) & 63];
    }
  }
  return text;
}
