import type { JsonValue } from '../core/index.ts';

/** More fields than this are not shown to policies; `complete` is false then. */
const MAX_FIELDS = 512;
const MAX_DEPTH = 16;
const MAX_TEXT = 1024;

/** Fields as `name=value`. `complete` is false when something was left out: nobody must take that for the whole. */
export interface Fields {
  readonly fields: readonly string[];
  readonly complete: boolean;
}

export const NO_FIELDS: Fields = { fields: [], complete: true };

/** The scalars of a JSON value, nested names joined by dots (`labels.0=bug`). */
export function flattenFields(value: JsonValue): Fields {
  const fields: string[] = [];
  const complete = collect(value, '', 0, fields);
  return { fields, complete };
}

/** The pairs of a form. */
export function formFields(pairs: Iterable<readonly [name: string, value: string]>): Fields {
  const fields: string[] = [];
  for (const [name, value] of pairs) {
    if (!add(fields, escapeName(name), value)) return { fields, complete: false };
  }
  return { fields, complete: true };
}

/** A name that holds our own marks could pass for another one: `{"a.b": 1}` is not `{"a": {"b": 1}}`. */
function escapeName(name: string): string {
  return name.replace(/[\\.=]/g, '\\$&');
}

/** False when there is no room, or not enough for the whole value. */
function add(fields: string[], name: string, value: string): boolean {
  if (fields.length >= MAX_FIELDS) return false;
  fields.push(`${name}=${value.slice(0, MAX_TEXT)}`);
  return name.length <= MAX_TEXT && value.length <= MAX_TEXT;
}

function collect(value: JsonValue, name: string, depth: number, fields: string[]): boolean {
  if (value === null || typeof value !== 'object') return add(fields, name, String(value));
  if (depth >= MAX_DEPTH) return false;
  let complete = true;
  for (const [key, member] of Object.entries(value)) {
    const own = escapeName(key);
    complete = collect(member, name === '' ? own : `${name}.${own}`, depth + 1, fields) && complete;
    if (fields.length >= MAX_FIELDS) return false;
  }
  return complete;
}
