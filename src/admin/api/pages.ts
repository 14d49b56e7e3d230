export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface PageRequest {
  readonly limit: number;
  readonly after: string | null;
}

/** A page of a list whose store pages itself: it is asked for one more than wanted, which tells whether more come. */
export async function fetchPage<T>(
  request: PageRequest,
  fetch: (page: PageRequest) => Promise<readonly T[]>,
  cursorOf: (item: T) => string,
): Promise<Page<T>> {
  const found = await fetch({ after: request.after, limit: request.limit + 1 });
  return cut(found, request.limit, cursorOf);
}

/** A page of a short list that comes whole; in the order of the cursors. */
export function slicePage<T>(
  request: PageRequest,
  all: readonly T[],
  cursorOf: (item: T) => string,
): Page<T> {
  const { after, limit } = request;
  const sorted = all.toSorted((one, other) => (cursorOf(one) < cursorOf(other) ? -1 : 1));
  const rest = after === null ? sorted : sorted.filter((item) => cursorOf(item) > after);
  return cut(rest, limit, cursorOf);
}

function cut<T>(found: readonly T[], limit: number, cursorOf: (item: T) => string): Page<T> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, next: found.length > limit && last !== undefined ? cursorOf(last) : null };
}
