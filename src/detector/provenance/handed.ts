import { entryBytes, ownCopy } from './keep.ts';
import { recordsBy } from './records.ts';
import { isName, tokensOf, wordsOf } from './tokens.ts';
import { isVerb } from './verbs.ts';

const MAX_NAMES = 256;
const MAX_WORDS = 1_024;
const MIN_NAME_CHARS = 8;
/** `accept` is what "after accepting the invitation" speaks of. */
const STEM_CHARS = 5;

/**
 * What those said whose word the user has handed on. Following it brings mail of others: Bea asks for a file in her
 * repository, and its host sends a link to accept the invitation. That link has Bea's repository in it, and Bea spoke of
 * the invitation.
 */
export class Handed {
  readonly #names = new Set<string>();
  readonly #words = new Set<string>();

  /** Takes in what the text has of theirs; what it takes in memory more than before, bytes. */
  take(text: string, delegates: readonly string[]): number {
    let bytes = 0;
    for (const record of recordsBy(text, delegates)) {
      for (const token of tokensOf(record)) {
        if (isName(token) && token.length >= MIN_NAME_CHARS) bytes += add(this.#names, token, MAX_NAMES);
      }
      for (const word of wordsOf(record))
        if (word.length >= STEM_CHARS) bytes += add(this.#words, word, MAX_WORDS);
    }
    return bytes;
  }

  /** Whether a name has one of theirs in it, and they spoke of a deed that the sentence's words name, too. */
  bringsAbout(name: string, words: ReadonlySet<string>): boolean {
    let within = false;
    for (const own of this.#names) within ||= name.length > own.length && name.includes(own);
    return within && [...words].some((word) => isVerb(word) && this.#speaksOf(word));
  }

  #speaksOf(verb: string): boolean {
    const stem = verb.slice(0, Math.max(STEM_CHARS, verb.length - 1));
    if (stem.length < STEM_CHARS) return false;
    for (const word of this.#words) if (word.startsWith(stem)) return true;
    return false;
  }
}

function add(set: Set<string>, text: string, most: number): number {
  if (set.size >= most || set.has(text)) return 0;
  const own = ownCopy(text);
  set.add(own);
  return entryBytes(own);
}
