import { joinedOf, viewsOf } from './decode.ts';
import type { Provenance, ReadCommand } from './memory.ts';
import { isAddress, isName, isTelling, tokensOf, toolWords } from './tokens.ts';
import { onlyReads, tellingToolWords, tellsDeed, verbsDoneBy } from './verbs.ts';

/** A call as provenance sees it: what it does, and what it carries. */
export interface Deed {
  /** Words that say what it does: of the tool's name, or of method, host and path. */
  readonly words: readonly string[];
  /** Known to do more than look, whatever its name says. */
  readonly acts?: boolean;
  /** Everything that it carries. */
  readonly text: string;
}

/** What was found of one call. */
export interface Following {
  readonly best: Followed | null;
  /** What the call carries. */
  readonly tokens: ReadonlySet<string>;
  /** Commands that it takes something from, harmful or not. */
  readonly followed: readonly ReadCommand[];
  /** Addresses in it that neither the user nor the agent has named before. */
  readonly strangers: readonly string[];
  /** Whether the user asked for something of the kind. */
  readonly asked: boolean;
}

/** How a call follows a command that a result gave. */
export interface Followed {
  readonly command: ReadCommand;
  /** 0 to 1: how sure it is that the call does what the command says and the user never asked for. */
  readonly score: number;
  /** What call and command share and the user never named, the most telling first. */
  readonly shared: readonly string[];
}

/** More words than this a call does not need to be recognized by. */
const MAX_TOKENS = 2_048;
/** Names of a call that are also compared letter by letter. */
const MAX_NEAR = 8;

/** What a call takes up from the commands that its session has read. */
export function follow(memory: Provenance, deed: Deed): Following {
  const written = namesIn(deed.text);
  const joined = joinedOf(deed.text);
  const tokens = new Set([...written, ...(joined === null ? [] : namesIn(joined))].slice(0, MAX_TOKENS));
  const shared = new Map<ReadCommand, string[]>();
  let near = 0;
  for (const token of tokens) {
    if (!memory.isForeign(token)) continue;
    let commands = [...memory.naming(token)];
    if (commands.length === 0 && isName(token) && near < MAX_NEAR) {
      near += 1;
      commands = [...memory.nearlyNaming(token)];
    }
    for (const command of commands) {
      const known = shared.get(command);
      if (known === undefined) shared.set(command, [token]);
      else known.push(token);
    }
  }
  const act = actOf(memory, deed);
  let best: Followed | null = null;
  for (const command of memory.commands) {
    const words = shared.get(command) ?? [];
    const score = scoreOf(memory, act, command, words);
    if (score > (best?.score ?? 0))
      best = { command, score, shared: words.toSorted((a, b) => Number(isName(b)) - Number(isName(a))) };
  }
  const followed = [...shared]
    .filter(([, words]) => words.length > 1 || words.some(isName))
    .map(([command]) => command);
  // What joining makes is compared with what results ordered; by itself it names nobody.
  const strangers = written
    .slice(0, MAX_TOKENS)
    .filter((token) => isAddress(token) && memory.isForeign(token));
  return { best, tokens, followed, strangers, asked: act.asked };
}

/** The telling words of a text, in whatever coding, each once. */
function namesIn(text: string): readonly string[] {
  return [...new Set(viewsOf(text).flatMap(tokensOf).filter(isTelling))];
}

/** What a call does, in the terms of commands. */
interface Act {
  readonly verbs: ReadonlySet<string>;
  /** Words of the tool's name that say what it works on. */
  readonly objects: readonly string[];
  readonly reads: boolean;
  /** Whether its name says what it does at all; else it may do anything. */
  readonly told: boolean;
  /** Whether the user asked for something of the kind. */
  readonly asked: boolean;
}

function actOf(memory: Provenance, { words, acts = false }: Deed): Act {
  const verbs = verbsDoneBy(words);
  const asked = [...memory.wish.verbs].some((verb) => verbs.has(verb));
  return {
    verbs,
    objects: tellingToolWords(words),
    reads: onlyReads(words) && !acts,
    told: tellsDeed(words),
    asked,
  };
}

function scoreOf(memory: Provenance, act: Act, command: ReadCommand, shared: readonly string[]): number {
  const verbs = [...command.verbs].filter((verb) => act.verbs.has(verb));
  const names = shared.filter(isName);
  if (!act.told) return names.length > 0 ? SCORES.words : 0;
  if (verbs.length === 0 && !act.objects.some((word) => command.words.has(word))) return 0;
  // A tool that only looks does no harm, unless it looks where the command sent it.
  if (act.reads && !names.some(isAddress)) return 0;
  const asked = act.asked && [...command.verbs].some((verb) => memory.wish.verbs.has(verb));
  if (names.length > 0)
    return names.every((name) => memory.answersCall(name) || memory.followsHanded(name, command.words))
      ? SCORES.answered
      : SCORES.name;
  if (shared.length > 1) return SCORES.words;
  if (shared.length === 1) return asked ? SCORES.wordAsked : SCORES.word;
  const objects = act.objects.filter((word) => speaksOf(command, word));
  if (verbs.length === 0 || objects.length < 2) return 0;
  return asked ? SCORES.deedAsked : SCORES.deed;
}

/** Whether the command speaks of what a word of the tool's name abbreviates: `repo`, repository. */
function speaksOf(command: ReadCommand, word: string): boolean {
  if (command.words.has(word)) return true;
  if (word.length < 4) return false;
  for (const other of command.words) if (other.startsWith(word)) return true;
  return false;
}

/**
 * How much each way of following says. Measured on recorded sessions (`sallyport detector replay`): from `word` on a call
 * is held in the balanced profile.
 */
const SCORES = {
  /** A name that only the command gave: an address, an account, an identifier. */
  name: 0.88,
  /** Several words that only the command gave. */
  words: 0.76,
  word: 0.71,
  /** No words of its own, but the deed and its object ("Delete one of the repositories"). */
  deed: 0.72,
  wordAsked: 0.45,
  deedAsked: 0.3,
  /** A name with the agent's own in it: the answer to something that it did (a link to confirm, a ticket). */
  answered: 0.5,
} as const;

/** What a tool call does and carries. */
export function deedOfTool(tool: string, text: string): Deed {
  return { words: toolWords(tool), text };
}

const METHOD_WORDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['GET', ['get']],
  ['HEAD', ['get']],
  ['OPTIONS', ['get']],
  ['DELETE', ['delete']],
  ['PUT', ['update', 'put', 'upload']],
  ['PATCH', ['update', 'patch']],
  ['POST', ['post', 'create', 'send', 'add']],
]);

/** What a request does and carries: the method and the path's words stand for a tool's name. */
export function deedOfRequest(o: {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly text: string;
}): Deed {
  const method = METHOD_WORDS.get(o.method) ?? [o.method.toLowerCase()];
  return {
    words: [...method, ...toolWords(o.path), ...toolWords(o.host)],
    text: `${o.host}${o.path}\n${o.path.replaceAll('/', ' ')}\n${o.text}`,
  };
}
