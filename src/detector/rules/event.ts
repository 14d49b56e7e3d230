import { type JsonValue, LIMITS } from '../../core/index.ts';
import { viewsOf } from '../provenance/decode.ts';
import { fold, isAscii } from '../provenance/fold.ts';
import { parseFieldPath, valuesAt } from './field-path.ts';
import type { EventKind } from './rule.ts';
import { Budget, Text } from './text.ts';

/** Longest JSON body that is parsed for rules that name a path in it. */
const MAX_JSON_CHARS = 256 * 1024;
const MAX_DECODED_CHARS = 64 * 1024;
const MAX_JSON_TEXT = 64 * 1024;

const NONE: readonly string[] = [];

/** One call or result as rules look at it. Everything is made when the first rule asks for it. */
export class RuleEvent {
  readonly on: EventKind;
  readonly #fields: ReadonlyMap<string, string>;
  #args: JsonValue | undefined;
  #body: JsonValue | undefined;
  readonly budget = new Budget();
  readonly #texts = new Map<string, readonly Text[]>();
  readonly #decoded = new Map<string, readonly Text[]>();
  /** By what they say: fields that say the same are one text. */
  readonly #known = new Map<string, Text>();

  /** `args`: the arguments of a tool call; undefined where there are none. */
  constructor(on: EventKind, fields: ReadonlyMap<string, string>, args?: JsonValue) {
    this.on = on;
    this.#fields = fields;
    this.#args = args;
  }

  /** What a field holds: as it stands, and behind look-alike letters and hidden characters where that differs. */
  texts(field: string): readonly Text[] {
    const known = this.#texts.get(field);
    if (known !== undefined) return known;
    const texts = this.#plain(field)
      .flatMap(withFolded)
      .map((text) => this.#textOf(text));
    this.#texts.set(field, texts);
    return texts;
  }

  /** The same, and what is said in percent, base64 and hex codings. */
  decodedTexts(field: string): readonly Text[] {
    const known = this.#decoded.get(field);
    if (known !== undefined) return known;
    const texts = this.texts(field);
    const behind = texts.flatMap(({ value }) => viewsOf(value).slice(1)).join('\n');
    const all = behind === '' ? texts : [...texts, this.#textOf(behind.slice(0, MAX_DECODED_CHARS))];
    this.#decoded.set(field, all);
    return all;
  }

  #textOf(value: string): Text {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const text = new Text(value, this.budget);
    this.#known.set(value, text);
    return text;
  }

  #plain(field: string): readonly string[] {
    const text = this.#fields.get(field);
    if (text !== undefined) return [text];
    const derived = this.#derived(field);
    if (derived !== null) return derived;
    const path = parseFieldPath(field);
    if (path === null) return NONE;
    const json = path.root === 'args' ? this.#args : this.#bodyJson();
    return json === undefined ? NONE : valuesAt(json, path.path);
  }

  /** Fields of others' formats: what a call says, the same as JSON, what a result says. Null: it is none of them. */
  #derived(field: string): readonly string[] | null {
    const isCall = this.on === 'call';
    const some = (...names: readonly string[]): readonly string[] =>
      names.flatMap((name) => this.#fields.get(name) ?? []);
    if (field === 'call') return isCall ? some('text', 'url') : NONE;
    if (field === 'result') return isCall ? NONE : some('text');
    if (field !== 'json') return null;
    return this.#args === undefined ? NONE : [JSON.stringify(this.#args).slice(0, MAX_JSON_TEXT)];
  }

  #bodyJson(): JsonValue | undefined {
    if (this.#body === undefined) this.#body = parseJson(this.#fields.get('body') ?? '');
    return this.#body;
  }
}

/** Only where it differs: plain text stays one text. */
function withFolded(text: string): readonly string[] {
  if (isAscii(text)) return [text];
  const folded = fold(text);
  return folded.length === text.length && folded === text.toLowerCase() ? [text] : [text, folded];
}

function parseJson(text: string): JsonValue {
  if (text.length > MAX_JSON_CHARS || !/^\s*[[{]/.test(text) || depthOf(text) > LIMITS.jsonDepth) return null;
  try {
    return JSON.parse(text);
  } catch {
    // No JSON has no members.
    return null;
  }
}

/** How deep brackets go, those in strings counted, too: enough to keep the parser off nested bombs. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const char of text) {
    if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth);
    else if (char === ']' || char === '}') depth -= 1;
  }
  return deepest;
}
