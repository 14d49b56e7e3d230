import type { JsonValue } from '../core/index.ts';

/** More fields than this are not shown to policies; `complete` is false then. */
const MAX_FIELDS = 512;
const MAX_DEPTH = 16;
const MAX_TEXT = 1024;

/**
 * The scalars of a JSON value as `name=value`, nested names joined by dots (`labels.0=bug`). `complete` is false
 * when something was left out; who decides must not take that for the whole.
 */
export function flattenFields(value: JsonValue): {
  readonly fields: readonly string[];
  readonly complete: boolean;
} {
  const fields: string[] = [];
  const complete = collect(value, '', 0, fields);
  return { fields, complete };
}

function collect(value: JsonValue, name: string, depth: number, fields: string[]): boolean {
  if (value === null || typeof value !== 'object') {
    const text = String(value);
    if (fields.length >= MAX_FIELDS) return false;
    fields.push(`${name}=${text.slice(0, MAX_TEXT)}`);
    return text.length <= MAX_TEXT;
  }
  if (depth >= MAX_DEPTH) return false;
  let complete = true;
  for (const [key, member] of Object.entries(value)) {
    complete = collect(member, name === '' ? key : `${name}.${key}`, depth + 1, fields) && complete;
    if (fields.length >= MAX_FIELDS) return false;
  }
  return complete;
}
