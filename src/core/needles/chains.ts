import { GlyphFactory, type GlyphNode } from './glyph.ts';
import { exactly, hexDigits, type Spelling, spellingsOf, utf16Units } from './spellings.ts';

/** One family of encodings of one secret: the characters that must follow one another. */
export interface Chain {
  /** Index of the secret in the list that was compiled. */
  readonly secret: number;
  /** Unique among all characters of all chains of a set: the character at `at` is number `base + at`. */
  readonly base: number;
  readonly length: number;
  /** So many characters at the very end of the data count as the secret, cut off. */
  readonly cutOff: number;
  /** Made when it is asked for: of most chains, no data ever reaches the second character. */
  glyphAt(at: number): GlyphNode;
}

type Breaks = readonly (readonly number[])[];

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const URL_SAFE: Readonly<Record<string, string>> = { '+': '-', '/': '_' };
/**
 * Bits of a secret that share their base64 character with what stands in front, for each of the three places
 * in a group. The characters at the borders carry at most four bits of the secret, and stay.
 */
const BASE64_SKIPPED_BITS = [0, 4, 2] as const;
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
  #nextBase = 0;

  chainsOf(secret: number, bytes: Uint8Array): Chain[] {
    const characters = splitCharacters(bytes);
    const cutOff = cutOffLength(bytes.length);
    const chains = [
      this.#chain(secret, characters.length, cutOff, (at) => this.#text(characters[at], at)),
      this.#chain(secret, bytes.length, cutOff, (at) => this.#hex(bytes[at] ?? 0, at)),
      ...BASE64_SKIPPED_BITS.map((skipped) =>
        this.#chain(secret, Math.floor((bytes.length * 8 - skipped) / 6), Math.ceil((cutOff * 8) / 6), (at) =>
          this.#base64(sixBits(bytes, skipped + at * 6), at),
        ),
      ),
    ];
    if (characters.some(({ codePoint }) => codePoint === null)) return chains;
    const units = characters.flatMap(({ codePoint }) => utf16Units(codePoint ?? 0));
    return [
      ...chains,
      this.#chain(secret, units.length, cutOff, (at) => this.#littleEndian(units[at] ?? 0)),
      this.#chain(secret, units.length, cutOff, (at) => this.#bigEndian(units[at] ?? 0, at)),
    ];
  }

  #chain(secret: number, length: number, cutOff: number, glyphAt: (at: number) => GlyphNode): Chain {
    const base = this.#nextBase;
    this.#nextBase += length;
    // A secret of few, long characters: all but the last one is the most that can be cut off.
    return { secret, base, length, cutOff: Math.max(1, Math.min(cutOff, length - 1)), glyphAt };
  }

  #text(character: Character | undefined, at: number): GlyphNode {
    const { codePoint, bytes } = character ?? { codePoint: null, bytes: [] };
    const name = `text ${codePoint ?? 'byte'} ${bytes.join()}`;
    return this.#glyph(name, at === 0 ? NO_BREAKS : SOFT_BREAKS, () => spellingsOf(codePoint, bytes));
  }

  #hex(byte: number, at: number): GlyphNode {
    return this.#glyph(`hex ${byte}`, at === 0 ? NO_BREAKS : HEX_BREAKS, () => [hexDigits(byte, 2)]);
  }

  #base64(value: number, at: number): GlyphNode {
    const character = BASE64.charAt(value);
    return this.#glyph(`base64 ${character}`, at === 0 ? NO_BREAKS : BASE64_BREAKS, () =>
      [character, URL_SAFE[character] ?? character].flatMap((one) => {
        const code = one.charCodeAt(0);
        return spellingsOf(code, [code]);
      }),
    );
  }

  #littleEndian(unit: number): GlyphNode {
    return this.#glyph(`le ${unit}`, NO_BREAKS, () => [[[unit & 0xff], [unit >> 8]]]);
  }

  #bigEndian(unit: number, at: number): GlyphNode {
    const low = unit & 0xff;
    // Big-endian text begins with a zero byte. Leaving it in place keeps the automaton out of every run of
    // zeros in binary data, and the width of the mask keeps the text aligned.
    if (at === 0 && unit < 0x100) return this.#glyph(`byte ${low}`, NO_BREAKS, () => [[[low]]]);
    return this.#glyph(`be ${unit}`, NO_BREAKS, () => [[[unit >> 8], [low]]]);
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
