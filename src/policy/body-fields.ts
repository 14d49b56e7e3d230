import { type CallBody, type HeaderList, type JsonValue, LIMITS } from '../core/index.ts';
import { flattenFields } from './flatten.ts';

/** What a policy may know of a body. */
export interface BodyFacts {
  /** True only when every field that the body has is in `fields`, or when there is no body. */
  readonly inspected: boolean;
  readonly bytes: number;
  readonly fields: readonly string[];
}

const NO_FIELDS: readonly string[] = [];

/** Reads a buffered JSON or form body; anything else is passed on unread, and says so. */
export function bodyFacts(body: CallBody, headers: HeaderList): BodyFacts {
  switch (body.kind) {
    case 'none':
      return { inspected: true, bytes: 0, fields: NO_FIELDS };
    case 'stream':
      // A body of unknown length counts as one: policies ask for `bytes > 0`.
      return { inspected: false, bytes: body.length ?? 1, fields: NO_FIELDS };
    case 'buffered': {
      const read = readFields(body.bytes, mediaType(headers));
      return { inspected: read.complete, bytes: body.bytes.length, fields: read.fields };
    }
  }
}

function readFields(
  bytes: Uint8Array,
  type: string,
): { readonly fields: readonly string[]; readonly complete: boolean } {
  const text = decodeUtf8(bytes);
  if (text === null) return { fields: NO_FIELDS, complete: false };
  if (type === 'application/json' || type.endsWith('+json')) {
    const value = parseJson(text);
    return value === undefined ? { fields: NO_FIELDS, complete: false } : flattenFields(value);
  }
  if (type === 'application/x-www-form-urlencoded') {
    const fields = [...new URLSearchParams(text)].map(([name, value]) => `${name}=${value}`);
    return { fields, complete: true };
  }
  return { fields: NO_FIELDS, complete: false };
}

function mediaType(headers: HeaderList): string {
  const field = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  return (field.split(';')[0] ?? '').trim().toLowerCase();
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
