import { GlyphFactory, type GlyphNode } from './glyph.ts';
import { exactly, hexDigits, type Spelling, spellingsOf, utf16Units } from './spellings.ts';

/** One family of encodings of one secret: the characters that must follow one another. */
export interface Chain {
  /** Index of the secret in the list that was compiled. */
  readonly secret: number;
  readonly glyphs: readonly GlyphNode[];
  /** So many characters at the very end of the data count as the secret, cut off. */
  readonly cutOff: number;
}

type Breaks = readonly (readonly number[])[];

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const URL_SAFE: Readonly<Record<string, string>> = { '+': '-', '/': '_' };
/** What MIME, PEM and pretty-printers put between two characters of base64, also inside JSON strings. */
const BASE64_BREAKS = breaks('\r\n', '\n', '\\r\\n', '\\n');
/** What dumpers put between two bytes. */
const HEX_BREAKS = breaks(' ', ':', '-', ',', ', ', '\n', '\r\n', '0x', ' 0x', ',0x', ', 0x');
/** Soft line breaks of quoted-printable (RFC 2045 section 6.7). */
const SOFT_BREAKS = breaks('=\r\n', '=\n');
const NO_BREAKS: Breaks = [];

/** Derives the chains of secrets; glyphs are shared among all secrets of one set. */
export class ChainBuilder {
  readonly #factory = new GlyphFactory();
  readonly #glyphs = new Map<string, GlyphNode>();

  get glyphNodes(): number {
    return this.#factory.count;
  }

  chainsOf(secret: number, bytes: Uint8Array): Chain[] {
    const characters = splitCharacters(bytes);
    const cutOffBytes = cutOffLength(bytes.length);
    const chains = [this.#text(secret, characters, cutOffBytes), this.#hex(secret, bytes, cutOffBytes)];
    for (const alignment of [0, 1, 2] as const) {
      chains.push(this.#base64(secret, bytes, alignment, cutOffBytes));
    }
    if (characters.every((character) => character.codePoint !== null)) {
      const units = characters.flatMap((character) => utf16Units(character.codePoint ?? 0));
      chains.push(
        this.#utf16(secret, units, 'le', cutOffBytes),
        this.#utf16(secret, units, 'be', cutOffBytes),
      );
    }
    return chains;
  }

  #text(secret: number, characters: readonly Character[], cutOff: number): Chain {
    const glyphs = characters.map(({ codePoint, bytes }, at) => {
      const name = `text ${codePoint ?? 'byte'} ${bytes.join()}`;
      return this.#glyph(name, at === 0 ? NO_BREAKS : SOFT_BREAKS, () => spellingsOf(codePoint, bytes));
    });
    return { secret, glyphs, cutOff: Math.min(cutOff, Math.max(1, glyphs.length - 1)) };
  }

  #hex(secret: number, bytes: Uint8Array, cutOff: number): Chain {
    const glyphs = Array.from(bytes, (byte, at) =>
      this.#glyph(`hex ${byte}`, at === 0 ? NO_BREAKS : HEX_BREAKS, () => [hexDigits(byte, 2)]),
    );
    return { secret, glyphs, cutOff };
  }

  /**
   * The base64 characters that the secret alone determines when it stands `alignment` bytes into a group of
   * three. The characters at the borders carry at most four bits of the secret, and stay.
   */
  #base64(secret: number, bytes: Uint8Array, alignment: 0 | 1 | 2, cutOffBytes: number): Chain {
    const skippedBits = [0, 4, 2][alignment] ?? 0;
    const count = Math.floor((bytes.length * 8 - skippedBits) / 6);
    const glyphs = Array.from({ length: count }, (_, at) => {
      const character = BASE64.charAt(sixBits(bytes, skippedBits + at * 6));
      return this.#glyph(`base64 ${character}`, at === 0 ? NO_BREAKS : BASE64_BREAKS, () =>
        [character, URL_SAFE[character] ?? character].flatMap((one) => {
          const code = one.charCodeAt(0);
          return spellingsOf(code, [code]);
        }),
      );
    });
    return { secret, glyphs, cutOff: Math.min(Math.ceil((cutOffBytes * 8) / 6), count - 1) };
  }

  #utf16(secret: number, units: readonly number[], order: 'le' | 'be', cutOff: number): Chain {
    const glyphs = units.map((unit, at) => {
      const high = unit >> 8;
      const low = unit & 0xff;
      if (order === 'le') return this.#glyph(`le ${unit}`, NO_BREAKS, () => [[[low], [high]]]);
      // Big-endian text begins with a zero byte. Leaving it in place keeps the automaton out of every run of
      // zeros in binary data, and the width of the mask keeps the text aligned.
      if (at === 0 && high === 0) return this.#glyph(`byte ${low}`, NO_BREAKS, () => [[[low]]]);
      return this.#glyph(`be ${unit}`, NO_BREAKS, () => [[[high], [low]]]);
    });
    return { secret, glyphs, cutOff: Math.min(cutOff, Math.max(1, glyphs.length - 1)) };
  }

  #glyph(name: string, breaks: Breaks, spellings: () => readonly Spelling[]): GlyphNode {
    const core = this.#core(name, spellings);
    if (breaks.length === 0) return core;
    const key = `${name} with breaks`;
    const known = this.#glyphs.get(key);
    if (known !== undefined) return known;
    const root = this.#factory.withBreaks(core, breaks);
    this.#glyphs.set(key, root);
    return root;
  }

  #core(name: string, spellings: () => readonly Spelling[]): GlyphNode {
    const known = this.#glyphs.get(name);
    if (known !== undefined) return known;
    const root = this.#factory.node();
    for (const spelling of spellings()) this.#factory.spell(root, spelling);
    this.#glyphs.set(name, root);
    return root;
  }
}

/**
 * How many bytes of a secret at the very end of a body count as the secret, cut off: half of it, at least 7
 * and at most 12. Six characters and the fixed prefix of a kind of token (`ghp_`, `github_pat_`) stay.
 */
export function cutOffLength(secretBytes: number): number {
  return Math.min(Math.max(7, Math.min(12, Math.ceil(secretBytes / 2))), secretBytes - 1);
}

interface Character {
  /** Null for a byte that is part of no well-formed UTF-8. */
  readonly codePoint: number | null;
  readonly bytes: readonly number[];
}

/** Splits into characters; in a secret that is not UTF-8 each byte stands for itself. */
function splitCharacters(bytes: Uint8Array): Character[] {
  const text = decodeUtf8(bytes);
  if (text === null) return Array.from(bytes, (byte) => ({ codePoint: null, bytes: [byte] }));
  const encoder = new TextEncoder();
  return Array.from(text, (character) => ({
    codePoint: character.codePointAt(0) ?? 0,
    bytes: [...encoder.encode(character)],
  }));
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function breaks(...texts: readonly string[]): Breaks {
  return texts.map((text) => exactly(text).flat());
}

function sixBits(bytes: Uint8Array, bit: number): number {
  const at = bit >> 3;
  const pair = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return (pair >> (10 - (bit & 7))) & 0x3f;
}
