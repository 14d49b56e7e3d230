import { fold, hiddenIn, isAuthority, orderedIn, sentencesIn, tokensOf } from '../provenance/index.ts';
import { setsAside } from './aside.ts';
import { seemsToCommand, tellsADuty } from './imperative.ts';
import { steers } from './steering.ts';
import { type Unread, unreadIn } from './unread.ts';

/** What a result orders, as it is read without any model. */
export interface Orders {
  /** Each with what stands around it: the guard reads these once more by themselves. */
  readonly excerpts: readonly string[];
  /** Whether one names where something can go (an address, an account, a URL) or a password that nobody gave the agent. */
  readonly naming: boolean;
  /** Whether one sets aside what the agent was told ("ignore previous instructions and …"). */
  readonly aside: boolean;
  /** Whether most of the text, and all that it orders, is in another language than English: of those the model knows less. */
  readonly foreign: boolean;
}

const NOBODY: ReadonlySet<string> = new Set();
const MAX_EXCERPTS = 6;
const MAX_ORDERS = 200;
/** Of the text on either side of an order. */
const AROUND_CHARS = 160;
const ORDER_CHARS = 600;

/**
 * `instruction` is the user's word; where it is not known, every name would be foreign, and none counts. `carried` are the
 * names in the agent's own call: "Sent 10.0 to DE02…" in its answer names nothing new.
 */
export function ordersIn(text: string, instruction: string, carried: ReadonlySet<string> = NOBODY): Orders {
  const given = new Set([...tokensOf(instruction), ...carried]);
  const foreign = (sentence: string) => {
    const folded = fold(sentence);
    // `https://x.zip` is a host, whatever files end in.
    const isLink = (token: string) => folded.includes(`://${token}`) || folded.includes(`://www.${token}`);
    return tokensOf(sentence).some((token) => !given.has(token) && (isAuthority(token) || isLink(token)));
  };
  const places = [text, ...hiddenIn(text)].map(placeOf);
  const orders = places.flatMap((place) =>
    piecesOf(place, text).map(({ words, read }) => ({
      place: place.text,
      order: words,
      // In a language that is not read word by word, a name may stand in any sentence.
      naming: read && instruction !== '' && foreign(words),
      aside: setsAside(words),
      english: read && !place.unread.sentences.has(words),
    })),
  );
  // Those in a coding, with foreign names or setting orders aside first, so that harmless orders before them hide none.
  const weight = (one: (typeof orders)[number]) =>
    Number(one.place !== text) + Number(one.naming) + Number(one.aside);
  const chosen = orders.toSorted((a, b) => weight(b) - weight(a)).slice(0, MAX_EXCERPTS);
  return {
    excerpts: chosen.map(({ place, order }) => around(place, order.slice(0, ORDER_CHARS))),
    naming: chosen.some(({ naming }) => naming),
    aside: chosen.some(({ aside }) => aside),
    // An order in English is no quieter for what stands around it.
    foreign: (places[0]?.unread.most ?? false) && !orders.some(({ english }) => english),
  };
}

/** A piece that the guard reads by itself. `read`: its words are known to order something. */
interface Piece {
  readonly words: string;
  readonly read: boolean;
}

/** A text, or what stands in it in a coding. */
interface Place {
  readonly text: string;
  /** Each sentence once. */
  readonly sentences: readonly string[];
  readonly unread: Unread;
}

function placeOf(text: string): Place {
  const { joined, sentences } = sentencesIn(text);
  return {
    text,
    sentences: [...new Set(sentences.map((sentence) => sentence.text))],
    unread: unreadIn(sentences, joined),
  };
}

/**
 * Those of a place that are not told in the text itself (percent signs decode whole texts), the surest first. Sentences in
 * another language stand before those that have the shape of an order or tell a duty: documents are full of these.
 */
function piecesOf({ text: here, sentences, unread }: Place, text: string): readonly Piece[] {
  const ordered = sentences.filter((sentence) => orderedIn(sentence).size > 0).slice(0, MAX_ORDERS);
  const pieces = new Map<string, boolean>();
  const add = (words: readonly string[], read: boolean) => {
    for (const one of words) pieces.set(one, read || pieces.get(one) === true);
  };
  add(ordered, true);
  add(sentences.filter(steers), true);
  add(unread.pieces, false);
  // The shape is of English alone ("Ez a lista" is no order).
  add(
    sentences.filter((one) => seemsToCommand(one) && !unread.sentences.has(one)),
    true,
  );
  add(sentences.filter(tellsADuty), false);
  const all = Array.from(pieces, ([words, read]): Piece => ({ words, read }));
  return here === text ? all : all.filter(({ words }) => !text.includes(words));
}

function around(text: string, order: string): string {
  const at = text.indexOf(order);
  if (at < 0) return order;
  return text.slice(Math.max(0, at - AROUND_CHARS), at + order.length + AROUND_CHARS);
}

/** Logits that what is read without the model adds: names that nobody gave, orders set aside, and nothing ordered at all. */
const NAMING = 4.5;
const ASIDE = 3;
const NOTHING = -2;
/** In another language the model has to be nearly sure, or orders have to be set aside. */
const FOREIGN = -3;
/** Of the two readings, the worst excerpt's part. */
const NEAR = 0.6;

/**
 * The model's probability for the whole result and for its worst excerpt (null: it orders nothing), and what is read
 * without it, as one: the weighted mean of the two logits, and what the names and the setting aside are worth.
 */
export function weighed(o: {
  readonly whole: number;
  readonly near: number | null;
  readonly naming: boolean;
  readonly aside: boolean;
  readonly foreign: boolean;
}): number {
  const whole = logit(o.whole);
  const both = o.near === null ? whole + NOTHING : (1 - NEAR) * whole + NEAR * logit(o.near);
  const read = (o.naming ? NAMING : 0) + (o.aside ? ASIDE : o.foreign ? FOREIGN : 0);
  return 1 / (1 + Math.exp(-(both + read)));
}

function logit(probability: number): number {
  const bounded = Math.min(1 - 1e-9, Math.max(1e-9, probability));
  return Math.log(bounded / (1 - bounded));
}
