import { type CallBody, type HeaderList, type JsonValue, LIMITS } from '../core/index.ts';
import { type Fields, flattenFields, formFields, NO_FIELDS } from './flatten.ts';

/** What a policy may know of a body. */
export interface BodyFacts {
  /** True only when every field that the body has is in `fields`, or when there is no body. */
  readonly inspected: boolean;
  readonly bytes: number;
  readonly fields: readonly string[];
}

const UNREAD: Fields = { fields: [], complete: false };

const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/i;
/** What JSON and forms are written in, and what is a part of it. */
const UTF8: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

/** Reads a buffered JSON or form body; anything else is passed on unread, and says so. */
export function bodyFacts(body: CallBody, headers: HeaderList): BodyFacts {
  switch (body.kind) {
    case 'none':
      return { inspected: true, bytes: 0, fields: NO_FIELDS.fields };
    case 'stream':
      // A body of unknown length counts as one: policies ask for `bytes > 0`.
      return { inspected: false, bytes: body.length ?? 1, fields: UNREAD.fields };
    case 'buffered': {
      const read = readFields(body.bytes, mediaType(headers));
      return { inspected: read.complete, bytes: body.bytes.length, fields: read.fields };
    }
  }
}

/** A JSON or form body as it can be read in one way alone; null for every other one, and for none. */
export type BodyValue =
  | { readonly json: JsonValue }
  | { readonly form: readonly (readonly [name: string, value: string])[] };

export function readBodyValue(body: CallBody, headers: HeaderList): BodyValue | null {
  return body.kind === 'buffered' ? readValue(body.bytes, mediaType(headers)) : null;
}

function readFields(bytes: Uint8Array, type: string | null): Fields {
  const value = readValue(bytes, type);
  if (value === null) return UNREAD;
  return 'json' in value ? flattenFields(value.json) : formFields(value.form);
}

function readValue(bytes: Uint8Array, type: string | null): BodyValue | null {
  const text = decodeUtf8(bytes);
  if (text === null || type === null) return null;
  if (type === 'application/json' || type.endsWith('+json')) {
    const json = parseJson(text);
    return json === undefined ? null : { json };
  }
  if (type === 'application/x-www-form-urlencoded') return { form: [...new URLSearchParams(text)] };
  return null;
}

/** Null where the upstream may read the body in another way than we do: two types, a coding, another charset. */
function mediaType(headers: HeaderList): string | null {
  const types = headers.filter(([name]) => name === 'content-type').map(([, value]) => value);
  const [type = '', second] = types;
  if (second !== undefined || !UTF8.has((CHARSET.exec(type)?.[1] ?? 'utf-8').toLowerCase())) return null;
  const coded = headers.some(
    ([name, value]) => name === 'content-encoding' && value.toLowerCase() !== 'identity',
  );
  return coded ? null : (type.split(';')[0] ?? '').trim().toLowerCase();
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Undefined for text that is not JSON, nests too deep, or names a member twice (parsers would differ). */
function parseJson(text: string): JsonValue | undefined {
  if (nesting(text) > LIMITS.jsonDepth) return undefined;
  try {
    const value: JsonValue = JSON.parse(text);
    // JSON.parse keeps the last of two equal members; an upstream may keep the first.
    return countMembers(text) === countParsed(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const STRING_OR_MARK = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [mark] of text.matchAll(STRING_OR_MARK)) {
    if (mark === '{' || mark === '[') deepest = Math.max(deepest, ++depth);
    else if (mark === '}' || mark === ']') depth--;
  }
  return deepest;
}

function countMembers(text: string): number {
  let colons = 0;
  for (const [mark] of text.matchAll(STRING_OR_MARK)) if (mark === ':') colons++;
  return colons;
}

function countParsed(value: JsonValue): number {
  if (value === null || typeof value !== 'object') return 0;
  const members = Object.values(value);
  const own = Array.isArray(value) ? 0 : members.length;
  return members.reduce<number>((sum, member) => sum + countParsed(member), own);
}
