import { Refusal } from '../../core/index.ts';

const FORM = /^[A-Za-z0-9_-]{1,600}$/;

/**
 * A place in a list, for the client opaque. It names the last item that was given, not a number: items that come
 * or go meanwhile move nothing. It carries the list's name, so that a cursor of another list is not misread.
 */
export function encodeCursor(list: string, after: string): string {
  return Buffer.from(JSON.stringify([list, after])).toString('base64url');
}

/** The last item that was given; null for the first page. Throws Refusal `input_invalid`. */
export function decodeCursor(list: string, cursor: string | null): string | null {
  if (cursor === null) return null;
  const [name, after] = parse(cursor);
  if (name === list && typeof after === 'string') return after;
  throw new Refusal('input_invalid', {
    detail: 'The cursor is not one that this list gave; begin again without one.',
  });
}

function parse(cursor: string): readonly unknown[] {
  if (!FORM.test(cursor)) return [];
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
