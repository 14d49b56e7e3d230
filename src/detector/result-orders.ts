import { commandsIn, fold, hiddenIn, isAuthority, tokensOf } from './provenance/index.ts';

/** What a result orders, as it is read without any model. */
export interface Orders {
  /** Each with what stands around it: the guard reads these once more by themselves. */
  readonly excerpts: readonly string[];
  /** Whether one names where something can go (an address, an account, a URL) or a password that nobody gave the agent. */
  readonly naming: boolean;
}

const NOBODY: ReadonlySet<string> = new Set();
const MAX_EXCERPTS = 6;
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
  const orders = [text, ...hiddenIn(text)].flatMap((place) =>
    ordersOf(place, text).map((order) => ({
      place,
      order,
      naming: instruction !== '' && foreign(order),
    })),
  );
  // Those in a coding and with foreign names first, so that harmless orders before them hide none.
  const weight = (one: { place: string; naming: boolean }) => Number(one.place !== text) + Number(one.naming);
  const chosen = orders.toSorted((a, b) => weight(b) - weight(a)).slice(0, MAX_EXCERPTS);
  return {
    excerpts: chosen.map(({ place, order }) => around(place, order.slice(0, ORDER_CHARS))),
    naming: chosen.some(({ naming }) => naming),
  };
}

/** Those of a place that are not told in the text itself: percent signs decode whole texts. */
function ordersOf(place: string, text: string): readonly string[] {
  const orders = commandsIn(place, false).map((command) => command.text);
  return place === text ? orders : orders.filter((order) => !text.includes(order));
}

function around(text: string, order: string): string {
  const at = text.indexOf(order);
  if (at < 0) return order;
  return text.slice(Math.max(0, at - AROUND_CHARS), at + order.length + AROUND_CHARS);
}

/** Logits that what is read without the model adds: names that nobody gave, and nothing ordered at all. */
const NAMING = 4.5;
const NOTHING = -3;
/** Of the two readings, the worst excerpt's part. */
const NEAR = 0.55;

/**
 * The model's probability for the whole result and for its worst excerpt (null: it orders nothing), and the names, as
 * one: the weighted mean of the two logits, and what the names are worth.
 */
export function weighed(o: {
  readonly whole: number;
  readonly near: number | null;
  readonly naming: boolean;
}): number {
  const whole = logit(o.whole);
  const both = o.near === null ? whole + NOTHING : (1 - NEAR) * whole + NEAR * logit(o.near);
  return 1 / (1 + Math.exp(-(both + (o.naming ? NAMING : 0))));
}

function logit(probability: number): number {
  const bounded = Math.min(1 - 1e-9, Math.max(1e-9, probability));
  return Math.log(bounded / (1 - bounded));
}
