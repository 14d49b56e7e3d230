import { type Command, commandsIn } from './commands.ts';
import { fold } from './fold.ts';
import { isName, isTelling, tokensOf } from './tokens.ts';
import { addWish, NO_WISH, type Wish } from './wish.ts';

/** A command that a session has read, and where; not of somebody whose word the user handed on. */
export interface ReadCommand extends Command {
  readonly tool: string;
  readonly callId: string;
  /** Names that the session found by following it: an id looked up for a product that it names. */
  readonly led: Set<string>;
}

/** What is kept of a session, so that a hostile one costs no more than a long one. */
const MAX_COMMANDS = 512;
const MAX_TOKENS = 16_384;
const MAX_LED = 64;
const MAX_CALLS = 256;
const MAX_PASSED = 1_024;
const MIN_PASSED_CHARS = 8;
/** A result with more names than this was not looked up for one thing. */
const MAX_FOUND = 40;
const MAX_FOUND_CHARS = 8 * 1024;
const MAX_RESULT_CHARS = 64 * 1024;

/** Estimates, bytes, measured against heap snapshots: a string in a set; a set of its own; one more member of it. */
const TOKEN_BYTES = 80;
const SET_BYTES = 300;
const MEMBER_BYTES = 48;
const COMMAND_BYTES = 800;

/** Where the words of a session were first seen: what its user said, what results told it, what it said itself. */
export class Provenance {
  #wish: Wish = NO_WISH;
  #weight = 0;
  readonly #commands = new Map<string, ReadCommand>();
  readonly #naming = new Map<string, Set<ReadCommand>>();
  /** Tokens of results. */
  readonly #read = new Set<string>();
  /** Tokens that the agent brought up before any result did. */
  readonly #own = new Set<string>();
  /** Names that the agent has passed to tools, whoever brought them up. */
  readonly #passed = new Set<string>();
  /** Commands that a call took something from, until its result is here. */
  readonly #following = new Map<string, readonly ReadCommand[]>();

  get wish(): Wish {
    return this.#wish;
  }

  /** About how much memory this takes, bytes. */
  get weight(): number {
    const { tokens, verbs } = this.#wish;
    return this.#weight + (tokens.size + verbs.size + this.#own.size + this.#read.size) * TOKEN_BYTES;
  }

  /** Whether a result has ordered anything. */
  get hasRead(): boolean {
    return this.#commands.size > 0;
  }

  get commands(): Iterable<ReadCommand> {
    return this.#commands.values();
  }

  /** Commands that name the token, or that led to it. */
  naming(token: string): Iterable<ReadCommand> {
    return this.#naming.get(token) ?? [];
  }

  /** The user's word. */
  instruction(text: string): void {
    this.#wish = addWish(this.#wish, text);
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

  result(o: { readonly callId: string; readonly tool: string; readonly text: string }): void {
    const text = o.text.slice(0, MAX_RESULT_CHARS);
    for (const token of tokensOf(text)) {
      if (this.#read.size >= MAX_TOKENS) break;
      this.#read.add(token);
    }
    this.#lead(o.callId, text);
    const { delegates } = this.#wish;
    for (const command of commandsIn(o.text, delegates.length > 0)) {
      const key = fold(command.text);
      if (this.#commands.has(key)) continue;
      const delegated = delegates.some((name) => command.author.includes(name));
      if (delegated) continue;
      this.#keep(key, { ...command, tool: o.tool, callId: o.callId, led: new Set() });
    }
  }

  /** After a call was looked at: what it took up, and what it brought up itself. */
  call(o: {
    readonly callId: string;
    readonly tokens: ReadonlySet<string>;
    readonly followed: readonly ReadCommand[];
  }): void {
    for (const token of o.tokens) {
      if (this.#own.size >= MAX_TOKENS) break;
      if (isTelling(token) && !this.#read.has(token)) this.#own.add(token);
      if (isName(token) && token.length >= MIN_PASSED_CHARS && this.#passed.size < MAX_PASSED)
        this.#passed.add(token);
    }
    if (o.followed.length === 0) return;
    this.#following.set(o.callId, o.followed);
    dropFirst(this.#following, MAX_CALLS);
  }

  #keep(key: string, command: ReadCommand): void {
    this.#commands.set(key, command);
    this.#weight += weightOf(command);
    for (const token of command.tokens) this.#name(token, command);
    if (this.#commands.size <= MAX_COMMANDS) return;
    for (const [oldest, { tokens, led }] of this.#commands) {
      const gone = this.#commands.get(oldest);
      this.#commands.delete(oldest);
      if (gone !== undefined) this.#weight -= weightOf(gone);
      for (const token of [...tokens, ...led]) {
        const naming = this.#naming.get(token);
        if (gone !== undefined && naming?.delete(gone)) this.#weight -= MEMBER_BYTES;
        if (naming?.size === 0 && this.#naming.delete(token)) this.#weight -= SET_BYTES;
      }
      return;
    }
  }

  #name(token: string, command: ReadCommand): void {
    if (!isTelling(token)) return;
    const naming = this.#naming.get(token);
    if (naming === undefined) {
      this.#naming.set(token, new Set([command]));
      this.#weight += SET_BYTES + MEMBER_BYTES;
    } else if (!naming.has(command)) {
      naming.add(command);
      this.#weight += MEMBER_BYTES;
    }
  }

  #lead(callId: string, text: string): void {
    const followed = this.#following.get(callId);
    if (followed === undefined || text.length > MAX_FOUND_CHARS) return;
    this.#following.delete(callId);
    const found = new Set(tokensOf(text).filter((token) => isIdentifier(token) && !this.#own.has(token)));
    if (found.size > MAX_FOUND) return;
    for (const command of followed) {
      for (const token of found) {
        if (command.led.size >= MAX_LED) break;
        command.led.add(token);
        this.#name(token, command);
      }
    }
  }
}

function weightOf({ text, tokens, words, verbs }: ReadCommand): number {
  return COMMAND_BYTES + 2 * text.length + (tokens.size + words.size + verbs.size) * TOKEN_BYTES;
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
