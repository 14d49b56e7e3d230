import { fold } from './fold.ts';
import { foreignVerbsOf, handsOnAbroad } from './foreign-orders.ts';
import { ownCopy } from './keep.ts';
import { tokensOf, wordsOf } from './tokens.ts';
import { isVerb } from './verbs.ts';

/** What the user asked for, as far as calls are measured by it. */
export interface Wish {
  readonly known: boolean;
  /** What the agent was registered for is in it: an administrator's word, of what it does in general. */
  readonly purpose: boolean;
  readonly tokens: ReadonlySet<string>;
  readonly verbs: ReadonlySet<string>;
  /** Folded names of those whose requests the user handed on ("do what Ana asks for"); empty when none. */
  readonly delegates: readonly string[];
}

export const NO_WISH: Wish = {
  known: false,
  purpose: false,
  tokens: new Set(),
  verbs: new Set(),
  delegates: [],
};

/** So much of a user's words is kept; a session has a task, not a book. */
const MAX_CHARS = 16 * 1024;
const MAX_TOKENS = 4_096;

// The user hands on the word of somebody else: "follow his instructions", "Ana asked me to …", "address the issue".
const HANDS_ON =
  /\b(?:follow|do|complete|address|achieve|handle|carry out|execute|perform|resolve|finish|reply|respond|process|deal with|act on|implement|accomplish|fulfil?l|accept|take care of|help)\b[^.]{0,80}\b(?:instructions?|requests?|asks?|asked|needs?|said|says|tells?|told|wants?|wanted|issues?|tasks?|todos?|it|that|them|him|her)\b|\b(?:asked|told|asks|tells|wants|wrote|sent|emailed|messaged|send)\b/u;
const NAME = /\b\p{Lu}\p{Ll}{2,}\b/gu;
const HANDLE = /[\w.+-]+@[\w.-]+|\b[\w-]+\/[\w.-]+\b/g;
/** Words that begin sentences: capitals, but no names. */
const NO_NAMES: ReadonlySet<string> = new Set(
  `please could can would should add create check visit you the and but hi hello dear send find get make show tell write read open update delete
  remove change transfer invite give star fork book buy order pay cancel move copy download github use using after before then also this that
  what when where which who how its it is are there their his her our your thanks thank first next finally remember note import see set help
  need want let look search list reply forward schedule plan compare calculate summarize review run install`.split(
    /\s+/,
  ),
);

/** Takes another of the user's sentences in. */
export function addWish(wish: Wish, text: string): Wish {
  const said = text.slice(0, MAX_CHARS);
  const words = wordsOf(said);
  const folded = fold(said);
  const names =
    HANDS_ON.test(folded) || handsOnAbroad(folded)
      ? [
          ...(said.match(NAME) ?? []).map(fold).filter((name) => !NO_NAMES.has(name)),
          ...(said.match(HANDLE) ?? []).map(fold),
        ]
      : [];
  return {
    known: true,
    purpose: wish.purpose,
    tokens:
      wish.tokens.size > MAX_TOKENS
        ? wish.tokens
        : new Set([...wish.tokens, ...tokensOf(said).map(ownCopy), ...words.map(ownCopy)]),
    verbs: new Set([...wish.verbs, ...words.filter(isVerb), ...foreignVerbsOf(words)]),
    delegates: [...new Set([...wish.delegates, ...names.map(ownCopy)])].slice(0, 32),
  };
}
