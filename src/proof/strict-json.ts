import type { JsonObject, JsonValue } from '../core/index.ts';
import { ProofFault } from './fault.ts';

const WHITE_SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERALS: ReadonlyMap<string, null | boolean> = new Map([
  ['null', null],
  ['true', true],
  ['false', false],
]);

/**
 * Reads a JSON object more strictly than JSON.parse: a member that stands twice (which of the two counts
 * depends on the reader), a `__proto__` member, a number that is not finite, and nesting beyond `maxDepth` are
 * faults. Objects come without a prototype. Throws ProofFault('malformed').
 */
export function parseStrictJsonObject(text: string, maxDepth: number): JsonObject {
  const value = parseStrictJson(text, maxDepth);
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw malformed('is no JSON object');
  return value as JsonObject;
}

/** As parseStrictJsonObject, for a value of any kind. */
export function parseStrictJson(text: string, maxDepth: number): JsonValue {
  return new Reader(text, maxDepth).document();
}

function malformed(what: string): ProofFault {
  return new ProofFault('malformed', `A part of the token ${what}.`);
}

function unquote(quoted: string): unknown {
  try {
    return JSON.parse(quoted);
  } catch (cause) {
    throw new ProofFault('malformed', 'A part of the token is not well-formed JSON.', { cause });
  }
}

class Reader {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  document(): JsonValue {
    const value = this.#value(0);
    this.#take(WHITE_SPACE);
    if (this.#at !== this.#text.length) throw malformed('has text behind its JSON');
    return value;
  }

  #value(depth: number): JsonValue {
    if (depth > this.#maxDepth) throw malformed('is nested too deeply');
    this.#take(WHITE_SPACE);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #object(depth: number): JsonObject {
    const members: Record<string, JsonValue> = Object.create(null);
    this.#at += 1;
    if (this.#skip('}')) return members;
    do {
      this.#take(WHITE_SPACE);
      const name = this.#string();
      if (name === '__proto__') throw malformed('has a member that must not be used');
      if (Object.hasOwn(members, name)) throw malformed('has a member twice');
      if (!this.#skip(':')) throw malformed('is not well-formed JSON');
      members[name] = this.#value(depth + 1);
    } while (this.#skip(','));
    if (!this.#skip('}')) throw malformed('is not well-formed JSON');
    return members;
  }

  #array(depth: number): JsonValue[] {
    const values: JsonValue[] = [];
    this.#at += 1;
    if (this.#skip(']')) return values;
    do values.push(this.#value(depth + 1));
    while (this.#skip(','));
    if (!this.#skip(']')) throw malformed('is not well-formed JSON');
    return values;
  }

  #string(): string {
    const quoted = this.#take(STRING);
    if (quoted === null) throw malformed('is not well-formed JSON');
    const value = unquote(quoted);
    if (typeof value !== 'string' || !value.isWellFormed()) throw malformed('has text that is not Unicode');
    return value;
  }

  #scalar(): JsonValue {
    for (const [name, value] of LITERALS) {
      if (!this.#text.startsWith(name, this.#at)) continue;
      this.#at += name.length;
      return value;
    }
    return this.#number();
  }

  #number(): number {
    const digits = this.#take(NUMBER);
    if (digits === null || digits === '') throw malformed('is not well-formed JSON');
    const value = Number(digits);
    if (!Number.isFinite(value)) throw malformed('has a number without bounds');
    return value;
  }

  #skip(character: string): boolean {
    this.#take(WHITE_SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return null;
    this.#at = pattern.lastIndex;
    return found[0];
  }
}
