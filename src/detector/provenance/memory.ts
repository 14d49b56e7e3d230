import { type Command, commandsIn } from './commands.ts';
import { fold } from './fold.ts';
import { Handed } from './handed.ts';
import { entryBytes, ownCopy } from './keep.ts';
import { oneLetterApart } from './near.ts';
import { isName, isTelling, tokensOf } from './tokens.ts';
import { addWish, NO_WISH, type Wish } from './wish.ts';

/** A command that a session has read, and where; not of somebody whose word the user handed on. */
export interface ReadCommand extends Command {
  readonly tool: string;
  readonly callId: string;
  /** Names that the session found by following it: an id looked up for a product that it names. */
  readonly led: Set<string>;
  /** What it takes in memory, without what is led to. */
  readonly bytes: number;
}

/** What is kept of a session, so that a hostile one costs no more than a long one. */
const MAX_COMMANDS = 512;
const MAX_TOKENS = 16_384;
const MAX_LED = 64;
const MAX_CALLS = 256;
const MAX_PASSED = 1_024;
/** Calls that are under way at once, as far as their answers are told from what others write. */
const MAX_UNDER_WAY = 16;
const MAX_UNDER_WAY_NAMES = 64;
const MIN_PASSED_CHARS = 8;
/** Shorter names are one letter apart by chance. */
const MIN_NEAR_CHARS = 12;
/** A result with more names than this was not looked up for one thing. */
const MAX_FOUND = 40;
const MAX_FOUND_CHARS = 8 * 1024;
const MAX_RESULT_CHARS = 64 * 1024;
const MAX_ID_CHARS = 128;
const MAX_TOOL_CHARS = 200;

// Objects around the strings, bytes.
const MEMORY_BYTES = 1_024;
const COMMAND_BYTES = 768;
const NAMING_BYTES = 96;
const FOLLOWING_BYTES = 256;

/** Where the words of a session were first seen: what its user said, what results told it, what it said itself. */
export class Provenance {
  #wish: Wish = NO_WISH;
  readonly #commands = new Map<string, ReadCommand>();
  readonly #naming = new Map<string, ReadCommand[]>();
  /** Tokens of results. */
  readonly #read = new Set<string>();
  /** Tokens that the agent brought up before any result did. */
  readonly #own = new Set<string>();
  /** Names that the agent has passed to tools, whoever brought them up. */
  readonly #passed = new Set<string>();
  /** What those said whose word the user has handed on. */
  readonly #handed = new Handed();
  /** What calls under way carry, by their ids. */
  readonly #underWay = new Map<string, ReadonlySet<string>>();
  /** Commands that a call took something from, until its result is here. */
  readonly #following = new Map<string, readonly ReadCommand[]>();
  #wishBytes = 0;
  #detailBytes = 0;

  /** What it takes in memory, bytes; from above. */
  get bytes(): number {
    return MEMORY_BYTES + this.#wishBytes + this.detailBytes;
  }

  /** The part of it that comes from calls and results. */
  get detailBytes(): number {
    return this.#detailBytes + this.#following.size * FOLLOWING_BYTES;
  }

  /** Whether a result has ordered something. */
  get hasOrders(): boolean {
    return this.#commands.size > 0;
  }

  /** What is left when only the user's word is kept: nothing that makes a call look better than it did before. */
  withoutResults(): Provenance {
    const left = new Provenance();
    left.#wish = this.#wish;
    left.#wishBytes = this.#wishBytes;
    return left;
  }

  get wish(): Wish {
    return this.#wish;
  }

  get commands(): Iterable<ReadCommand> {
    return this.#commands.values();
  }

  /** Commands that name the token, or that led to it. */
  naming(token: string): Iterable<ReadCommand> {
    return this.#naming.get(token) ?? [];
  }

  /** Commands with a name that is this one but for one letter; accounts that differ in a digit are two. */
  nearlyNaming(token: string): Iterable<ReadCommand> {
    if (token.length < MIN_NEAR_CHARS) return [];
    for (const [name, commands] of this.#naming)
      if (isName(name) && oneLetterApart(name, token)) return commands;
    return [];
  }

  /** What the agent was registered for. The user's word, once it is there, says more. */
  purpose(text: string): void {
    if (this.#wish !== NO_WISH) return;
    this.#wish = { ...addWish(NO_WISH, text), known: false, purpose: true, delegates: [] };
    this.#wishBytes = bytesOfWish(this.#wish);
  }

  /** The user's word. */
  instruction(text: string): void {
    this.#wish = addWish(this.#wish, text);
    this.#wishBytes = bytesOfWish(this.#wish);
  }

  /** Whether neither the user nor the agent has named this before a result did. */
  isForeign(token: string): boolean {
    return !this.#wish.tokens.has(token) && !this.#own.has(token);
  }

  /** Whether a name that the agent has passed to a tool before is part of this one. */
  answersCall(token: string): boolean {
    for (const name of this.#passed) if (token.length > name.length && token.includes(name)) return true;
    return false;
  }

  /** Whether following the word that the user has handed on leads to this name, by a deed that the words speak of. */
  followsHanded(token: string, words: ReadonlySet<string>): boolean {
    return this.#handed.bringsAbout(token, words);
  }

  /** The names that a call carries whose result is not there yet: a confirmation repeats them. */
  carriedBy(callId: string): ReadonlySet<string> {
    return this.#underWay.get(keyOf(callId)) ?? NO_NAMES;
  }

  result(o: { readonly callId: string; readonly tool: string; readonly text: string }): void {
    const text = o.text.slice(0, MAX_RESULT_CHARS);
    for (const token of tokensOf(text)) {
      if (this.#read.size >= MAX_TOKENS) break;
      this.#add(this.#read, token);
    }
    this.#lead(keyOf(o.callId), text);
    const { delegates } = this.#wish;
    if (delegates.length > 0) this.#detailBytes += this.#handed.take(text, delegates);
    const carried = this.#underWay.get(keyOf(o.callId));
    this.#underWay.delete(keyOf(o.callId));
    for (const command of commandsIn(o.text, delegates.length > 0)) {
      if (carried !== undefined && confirms(command, carried)) continue;
      const key = fold(command.text);
      if (this.#commands.has(key)) continue;
      const delegated = delegates.some((name) => command.author.includes(name));
      if (delegated) continue;
      this.#keep(ownCopy(key), readCommand(command, o.tool, o.callId));
    }
  }

  /** After a call was looked at: what it took up, and what it brought up itself. */
  call(o: {
    readonly callId: string;
    readonly tokens: ReadonlySet<string>;
    readonly followed: readonly ReadCommand[];
  }): void {
    // Where not all that was read is known, nothing is taken for the agent's own word.
    const full = this.#own.size >= MAX_TOKENS || this.#read.size >= MAX_TOKENS;
    for (const token of o.tokens) {
      if (!full && isTelling(token) && !this.#read.has(token)) this.#add(this.#own, token);
      if (isName(token) && token.length >= MIN_PASSED_CHARS && this.#passed.size < MAX_PASSED)
        this.#add(this.#passed, token);
    }
    this.#underWay.set(keyOf(o.callId), namesOf(o.tokens));
    dropFirst(this.#underWay, MAX_UNDER_WAY);
    if (o.followed.length === 0) return;
    this.#following.set(keyOf(o.callId), o.followed);
    dropFirst(this.#following, MAX_CALLS);
  }

  #keep(key: string, command: ReadCommand): void {
    this.#commands.set(key, command);
    this.#detailBytes += command.bytes;
    for (const token of command.tokens) this.#name(token, command);
    if (this.#commands.size <= MAX_COMMANDS) return;
    for (const [oldest, gone] of this.#commands) {
      this.#commands.delete(oldest);
      this.#detailBytes -= gone.bytes;
      for (const token of gone.tokens) this.#unname(token, gone);
      for (const token of gone.led) {
        this.#unname(token, gone);
        this.#detailBytes -= entryBytes(token);
      }
      return;
    }
  }

  #add(set: Set<string>, token: string): void {
    if (set.has(token)) return;
    const own = ownCopy(token);
    set.add(own);
    this.#detailBytes += entryBytes(own);
  }

  #name(token: string, command: ReadCommand): void {
    if (!isTelling(token)) return;
    const naming = this.#naming.get(token);
    if (naming === undefined) {
      this.#naming.set(token, [command]);
      this.#detailBytes += NAMING_BYTES + entryBytes(token);
    } else naming.push(command);
  }

  #unname(token: string, command: ReadCommand): void {
    const naming = this.#naming.get(token);
    const at = naming?.indexOf(command) ?? -1;
    if (naming === undefined || at < 0) return;
    naming.splice(at, 1);
    if (naming.length > 0) return;
    this.#naming.delete(token);
    this.#detailBytes -= NAMING_BYTES + entryBytes(token);
  }

  #lead(callId: string, text: string): void {
    const followed = this.#following.get(callId);
    if (followed === undefined || text.length > MAX_FOUND_CHARS) return;
    this.#following.delete(callId);
    const found = new Set(tokensOf(text).filter((token) => isIdentifier(token) && !this.#own.has(token)));
    if (found.size > MAX_FOUND) return;
    for (const command of followed) {
      // A command that has made room in the meantime leads nowhere.
      if (!this.#commands.has(fold(command.text))) continue;
      for (const one of found) {
        if (command.led.size >= MAX_LED) break;
        if (command.tokens.has(one) || command.led.has(one)) continue;
        const token = ownCopy(one);
        this.#add(command.led, token);
        this.#name(token, command);
      }
    }
  }
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** Names are what a confirmation repeats. */
function namesOf(tokens: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...tokens].filter(isName).slice(0, MAX_UNDER_WAY_NAMES).map(ownCopy));
}

/** "Sent 20 EUR to DE89…" in the answer to the call that sent it: what was done, not what is to do. */
function confirms({ verbs, tokens }: Command, carried: ReadonlySet<string>): boolean {
  if ([...verbs].some((verb) => verb !== 'sent')) return false;
  return [...tokens].every((token) => !isName(token) || carried.has(token));
}

/** Everything of it a copy of its own: the result that it stood in may be long. */
function readCommand(command: Command, tool: string, callId: string): ReadCommand {
  const words = new Set([...command.words].map(ownCopy));
  const tokens = new Set([...command.tokens].map(ownCopy));
  const [text, author] = [ownCopy(command.text), ownCopy(command.author)];
  let bytes = COMMAND_BYTES + 2 * entryBytes(text) + entryBytes(author);
  for (const entry of [...words, ...tokens]) bytes += entryBytes(entry);
  return {
    text,
    author,
    words,
    tokens,
    verbs: command.verbs,
    tool: ownCopy(tool.slice(0, MAX_TOOL_CHARS)),
    callId: keyOf(callId),
    led: new Set(),
    bytes,
  };
}

function keyOf(callId: string): string {
  return ownCopy(callId.slice(0, MAX_ID_CHARS));
}

function bytesOfWish({ tokens, verbs, delegates }: Wish): number {
  let bytes = 0;
  for (const entry of [...tokens, ...verbs, ...delegates]) bytes += entryBytes(entry);
  return bytes;
}

function isIdentifier(token: string): boolean {
  return token.includes('@') || (/\d/.test(token) && /\p{L}/u.test(token));
}

function dropFirst<K, V>(map: Map<K, V>, size: number): void {
  if (map.size <= size) return;
  for (const first of map.keys()) {
    map.delete(first);
    return;
  }
}
