import { Refusal } from '../../core/index.ts';

/** The query as names to values. A name given twice is refused: which one counts would be a guess. */
export function readQuery(target: string): Readonly<Record<string, string>> {
  const query: Record<string, string> = Object.create(null);
  const start = target.indexOf('?');
  if (start < 0) return query;
  for (const [name, value] of new URLSearchParams(target.slice(start + 1))) {
    if (name in query) {
      throw new Refusal('input_invalid', {
        detail: `The query names ${JSON.stringify(name.slice(0, 64))} twice.`,
      });
    }
    query[name] = value;
  }
  return query;
}
