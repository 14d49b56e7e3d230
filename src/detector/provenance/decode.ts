import { isUtf8 } from 'node:buffer';
import { withoutEscapes } from './fold.ts';
import { spelledIn } from './spelled.ts';

/** Longest text that is decoded, and how often a coding inside a coding is followed. */
const MAX_CHARS = 32 * 1024;
const MAX_DEPTH = 2;
const MAX_VIEWS = 32;
/** Pieces of names stand in short calls; in long texts, joining them makes nonsense alone. */
const MAX_JOINED_CHARS = 4 * 1024;
const AROUND_SIGNS = /[ \t]{0,3}(?:([@.])|[[(]\s{0,2}(at|dot)\s{0,2}[\])])[ \t]{0,3}(?=\w)/gi;

const BASE64 = /[A-Za-z0-9+/_-]{16,}={0,2}/g;
const HEX = /(?:[0-9a-fA-F]{2}){8,}/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: text that decodes to control characters is no text.
const NO_TEXT = /[\u0000-\u0008\u000e-\u001f\u007f\ufffd]/;

/**
 * A text and what it says in other codings: percent, base64 and base64url, hex, each also inside another. What a call
 * carries is compared in all of them, so that an encoded address is still that address.
 */
export function viewsOf(text: string): readonly string[] {
  return views(text, decodings);
}

/**
 * What stands in a text in codings that nobody reads by eye: base64, hex, percent, digits of two, Morse code, moved letters;
 * escapes of JSON are none of them.
 */
export function hiddenIn(text: string): readonly string[] {
  return views(text, spelledOrHidden).slice(1);
}

function views(text: string, decode: (text: string) => Iterable<string>): readonly string[] {
  const views = new Set<string>([text]);
  let layer: readonly string[] = [text.slice(0, MAX_CHARS)];
  for (let depth = 0; depth < MAX_DEPTH && layer.length > 0; depth += 1) {
    const next: string[] = [];
    for (const one of layer) {
      for (const decoded of decode(one)) {
        if (views.size >= MAX_VIEWS) return [...views];
        if (views.has(decoded)) continue;
        views.add(decoded);
        next.push(decoded);
      }
    }
    layer = next;
  }
  return [...views];
}

/**
 * A text with its pieces put together: a name that was cut over two arguments, or spread out so that it is none
 * (`drop (at) collect . example`). It also joins what does not belong together; null: there is nothing to join.
 */
export function joinedOf(text: string): string | null {
  if (text.length > MAX_JOINED_CHARS) return null;
  const joined = text.replace(AROUND_SIGNS, signOf).replaceAll('\n', '');
  return joined === text ? null : joined;
}

function* decodings(text: string): Iterable<string> {
  if (text.includes('\\')) yield withoutEscapes(text);
  yield* hidden(text);
}

function* spelledOrHidden(text: string): Iterable<string> {
  yield* hidden(text);
  yield* spelledIn(text);
}

function* hidden(text: string): Iterable<string> {
  if (text.includes('%')) {
    const percent = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    if (percent !== text) yield Buffer.from(percent, 'latin1').toString('utf8');
  }
  const runs = text.match(BASE64) ?? [];
  for (const run of runs) yield* readable(Buffer.from(run, 'base64'));
  // Digits of hex are letters of base64: a run of the one stands inside a run of the other.
  for (const run of runs)
    for (const digits of run.match(HEX) ?? []) yield* readable(Buffer.from(digits, 'hex'));
}

function signOf(_: string, sign: string | undefined, word: string | undefined): string {
  return sign ?? (word?.toLowerCase() === 'at' ? '@' : '.');
}

function* readable(bytes: Buffer): Iterable<string> {
  // Nearly everything that looks like base64 is none: what it decodes to is not even UTF-8.
  if (!isUtf8(bytes)) return;
  const text = bytes.toString('utf8');
  if (text.length >= 4 && !NO_TEXT.test(text)) yield text;
}
