import type { JsonValue } from '../../core/index.ts';

/** Names of members, `*` for all members, `[]` for all elements. */
export type FieldPath = readonly string[];

/** `args.command`, `args.*`, `body.items[].url`: the field whose JSON value is meant, and the way into it. */
const PATH = /^(args|body)((?:\.[A-Za-z0-9_$-]{1,64}|\.\*|\[\]){1,16})$/;
const PART = /\.([A-Za-z0-9_$-]+|\*)|(\[\])/g;

/** Values of one path in one event. */
const MAX_VALUES = 256;

export function isFieldPath(field: string): boolean {
  return PATH.test(field);
}

export function parseFieldPath(field: string): { readonly root: string; readonly path: FieldPath } | null {
  const [, root, parts] = PATH.exec(field) ?? [];
  if (root === undefined || parts === undefined) return null;
  return { root, path: [...parts.matchAll(PART)].map(([, name]) => name ?? '[]') };
}

/** The values at the end of a path, as texts: strings as they are, lists of strings joined by spaces, the rest as JSON. */
export function valuesAt(value: JsonValue, path: FieldPath): readonly string[] {
  const found: string[] = [];
  const walk = (one: JsonValue | undefined, depth: number): void => {
    if (one === undefined || found.length >= MAX_VALUES) return;
    const part = path[depth];
    if (part === undefined) {
      found.push(textOf(one));
      return;
    }
    if (one === null || typeof one !== 'object') return;
    if (isList(one)) {
      if (part === '[]' || part === '*') for (const element of one) walk(element, depth + 1);
    } else if (part === '*') {
      for (const member of Object.values(one)) walk(member, depth + 1);
    } else if (Object.hasOwn(one, part)) {
      walk(one[part], depth + 1);
    }
  };
  walk(value, 0);
  return found;
}

function textOf(value: JsonValue): string {
  if (typeof value === 'string') return value;
  // A command as the list of its words is the command.
  if (isList(value) && value.every((one) => typeof one === 'string')) return value.join(' ');
  return JSON.stringify(value);
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
