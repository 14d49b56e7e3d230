import { withoutEscapes } from './fold.ts';
import { matchesOf } from './matches.ts';

/** A sentence of a text, and where it begins. */
export interface Sentence {
  readonly text: string;
  readonly at: number;
}

const MIN_CHARS = 8;
const MAX_CHARS = 600;

// A full stop inside a name (a.example, 4.5) ends no sentence; a line end, a tag, a brace or a table's bar does.
const SENTENCE =
  /[^.!?。！？؟।\n<>{}|]+(?:\.(?=[\p{L}\p{N}_@/-])[^.!?。！？؟।\n<>{}|]*|[?!](?=[\p{L}\p{N}_=&])[^.!?。！？؟।\n<>{}|]*)*[.!?。！？؟।]?/gu;
/** Values of JSON, Python and the like end where the next begins. */
const VALUES = /['"],\s*['"]|['"]\s*:\s*['"[{]|(?<=\]),|(?<=[^\\])",|',/;
const BULLET = /^[\s\-*>#"'`:,[\]()0-9.]+/;

/**
 * The sentences of a tool's result, whatever its shape: prose, JSON, Python, YAML, HTML, tables. `joined` is the text
 * in which the places count. Linear in the text.
 */
export function sentencesOf(text: string): {
  readonly joined: string;
  readonly sentences: readonly Sentence[];
} {
  // Lines that were wrapped for their length, as YAML and mails have them, are one sentence again; fields are not.
  const joined = withoutEscapes(text).replace(/([a-z0-9,;])\n[ \t]+(?=[a-z0-9(])(?!\w{1,40}: )/g, '$1 ');
  const sentences: Sentence[] = [];
  for (const match of matchesOf(SENTENCE, joined)) {
    let from = 0;
    for (const piece of match[0].split(VALUES)) {
      const at = match[0].indexOf(piece, from);
      from = at + piece.length;
      const sentence = piece.replace(BULLET, '').trim();
      if (sentence.length >= MIN_CHARS && sentence.length <= MAX_CHARS)
        sentences.push({ text: sentence, at: match.index + at });
    }
  }
  return { joined, sentences };
}

/** Whether two places of a text belong to one paragraph or value. */
export function isOnePlace(joined: string, a: number, b: number): boolean {
  const [from, to] = a < b ? [a, b] : [b, a];
  return to - from < 300 && !/\n\s*\n|['"],\s*['"]|\n- /.test(joined.slice(from, to + 1));
}
