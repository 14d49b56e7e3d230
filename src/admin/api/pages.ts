import { decodeCursor, encodeCursor } from './cursor.ts';

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** `limit` and `cursor` of the query, and the list that they are about. */
export interface PageRequest {
  /** Stands in the cursors. */
  readonly list: string;
  readonly limit: number;
  readonly cursor: string | null;
}

/** A page of a list whose store pages itself: it is asked for one more than wanted, which tells whether more come. */
export async function fetchPage<T>(
  request: PageRequest,
  fetch: (page: { readonly limit: number; readonly after: string | null }) => Promise<readonly T[]>,
  keyOf: (item: T) => string,
): Promise<Page<T>> {
  const after = decodeCursor(request.list, request.cursor);
  const found = await fetch({ after, limit: request.limit + 1 });
  return cut(found, request, keyOf);
}

/** A page of a short list that comes whole; in the order of the keys. */
export function slicePage<T>(request: PageRequest, all: readonly T[], keyOf: (item: T) => string): Page<T> {
  const after = decodeCursor(request.list, request.cursor);
  const sorted = all.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  const rest = after === null ? sorted : sorted.filter((item) => keyOf(item) > after);
  return cut(rest, request, keyOf);
}

function cut<T>(found: readonly T[], { list, limit }: PageRequest, keyOf: (item: T) => string): Page<T> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const more = found.length > limit && last !== undefined;
  return { items, next: more ? encodeCursor(list, keyOf(last)) : null };
}
