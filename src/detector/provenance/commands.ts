import { fold, isAscii } from './fold.ts';
import { foreignOrdersIn } from './foreign-orders.ts';
import { matchesOf } from './matches.ts';
import { authorAt } from './records.ts';
import { isOnePlace, sentencesOf } from './sentences.ts';
import { tokensOf, wordsOf } from './tokens.ts';
import { isVerb } from './verbs.ts';

/** A sentence of a result that orders something. Whether anybody may order it is asked elsewhere. */
export interface Command {
  readonly text: string;
  readonly verbs: ReadonlySet<string>;
  readonly words: ReadonlySet<string>;
  /** What it and its neighbours in the same paragraph name. */
  readonly tokens: ReadonlySet<string>;
  /** Who wrote it, folded, as the record says it; empty when it does not. */
  readonly author: string;
}

/** Results longer than this are looked at in their beginning and their end. */
const MAX_CHARS = 64 * 1024;
const MAX_COMMANDS = 200;

// Where an English sentence has the verb of an order: at its start, or after what leads up to one.
const LEADS =
  'please|kindly|must|should|needs? to|needed to|have to|has to|wants? (?:you )?to|like you to|asks? you to|told to|required to|instructed to|sure to|supposed to|could you|can you|would you|will you|and|then|first|now|directly|immediately|just|also|so|before that|let us|you may|(?:after|once|until|unless) you(?: have| will)?';
const SOFT =
  'please|kindly|also|just|now|then|first|quickly|quietly|directly|immediately|always|simply|could you|can you|you must|you should|you have to|you need to|go and|make sure to|do not forget to|remember to';
const ORDER_PARTS = (letter: string, number: string) =>
  `(?:^|[,;:\\])]\\s*|\\b(?:${LEADS})\\s+)(?:(?:${SOFT})\\s+)*(?=([${letter}]+)\\s+['"\`$(<${letter}${number}@/#*])`;
const ORDER = new RegExp(ORDER_PARTS('\\p{L}', '\\p{N}'), 'gu');
/** The same for text of ASCII alone, folded: the classes of Unicode take longer. */
const ASCII_ORDER = new RegExp(ORDER_PARTS('a-z', '0-9'), 'g');
/** "Please" makes an order of any verb; one that is not known names no tool's deed, but the guard reads the sentence. */
const POLITE = new RegExp(`\\b(?:please|kindly)\\s+(?:(?:${SOFT})\\s+)*([a-z]{3,})\\s+(?=\\S)`, 'g');
/** What follows "please" when nothing is to be done with a tool, and words that are no verbs. */
const COURTESIES: ReadonlySet<string> = new Set(
  `note see contact consult refer let feel bear forgive excuse accept allow wait keep stand know don dont not never the this that these those
  all any some our your his her its their him them everyone anyone someone for with and but what which who when where how there here be`.split(
    /\s+/,
  ),
);
/** `Order ID`, `Report date`: a label, not an order. */
const LABEL =
  /^\s+(?:ids?|numbers?|no|dates?|confirmations?|details?|status|history|received|invitations?|requests?)\b/;

/** "Pay close attention to …", "give it attention": nothing is done with a tool. */
const IDIOM = /^\s+(?:[a-z]+\s+)?(?:attention|heed)\b/;

/** `return parse(file)`, `import os`: a line of a program, not an order. */
const PROGRAM = /^\s+[\w.]+(?:\((?!s\))|\s*=[^=>])/;

const PUT_IN = /\p{Ll}\s+(\p{Lu}\p{Ll}+)(?=\s+\p{Ll})/gu;
const ASCII_PUT_IN = /[a-z]\s+([A-Z][a-z]+)(?=\s+[a-z])/g;

/** Verbs in the places where an order has them. Only known ones: most sentences begin with some other word. */
export function orderedIn(sentence: string): ReadonlySet<string> {
  const verbs = new Set<string>();
  const ascii = isAscii(sentence);
  // An order has something to be done to. Values of JSON are mostly one word, or none.
  if (ascii && !/\s/.test(sentence)) return verbs;
  const folded = fold(sentence);
  for (const match of matchesOf(ascii ? ASCII_ORDER : ORDER, folded)) {
    const [whole, verb = ''] = match;
    const rest = folded.slice(match.index + whole.length + verb.length);
    if (isVerb(verb) && ![LABEL, IDIOM, PROGRAM].some((none) => none.test(rest))) verbs.add(verb);
  }
  if (folded.includes('please') || folded.includes('kindly'))
    for (const [, verb = ''] of matchesOf(POLITE, folded)) if (!COURTESIES.has(verb)) verbs.add(verb);
  // "… after you Download the file": a capital where none belongs is an order that was put into another sentence.
  for (const [, verb = ''] of matchesOf(ascii ? ASCII_PUT_IN : PUT_IN, sentence))
    if (isVerb(fold(verb))) verbs.add(fold(verb));
  for (const verb of foreignOrdersIn(folded)) verbs.add(verb);
  return verbs;
}

/**
 * The sentences of a result that order something. Work and answer are bounded whatever the text. Authors are looked for
 * only when asked: they matter where the user has handed on somebody's word.
 */
export function commandsIn(text: string, withAuthors: boolean): readonly Command[] {
  const { joined, sentences } = sentencesOf(lookedAt(text));
  const commands: Command[] = [];
  for (const [index, { text: sentence, at }] of sentences.entries()) {
    const verbs = orderedIn(sentence);
    if (verbs.size === 0) continue;
    const near = [sentences[index - 1], sentences[index + 1]].filter(
      (other) => other !== undefined && isOnePlace(joined, other.at, at),
    );
    commands.push({
      text: sentence,
      verbs,
      words: new Set(wordsOf(sentence)),
      tokens: new Set(tokensOf([sentence, ...near.map((other) => other?.text)].join(' '))),
      author: withAuthors ? fold(authorAt(joined, at)) : '',
    });
    if (commands.length === MAX_COMMANDS) break;
  }
  return commands;
}

/** The sentences that are looked at, and the text in which they stand. */
export function sentencesIn(text: string): ReturnType<typeof sentencesOf> {
  return sentencesOf(lookedAt(text));
}

function lookedAt(text: string): string {
  if (text.length <= MAX_CHARS) return text;
  return `${text.slice(0, MAX_CHARS / 2)}\n\n${text.slice(-MAX_CHARS / 2)}`;
}
