import { LIMITS, Refusal } from '../../core/index.ts';

/** A request target, cut at its first question mark. Query without it; null: there is none. */
export interface SplitTarget {
  readonly path: string;
  readonly query: string | null;
}

export function splitTarget(target: string): SplitTarget {
  const mark = target.indexOf('?');
  return mark < 0
    ? { path: target, query: null }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/**
 * The query as it goes upstream: untouched, after a check that all parsers read the same bytes. Throws
 * `request_malformed` for controls, spaces, non-ASCII and fragments.
 */
export function canonicalQuery(raw: string | null): string {
  if (raw === null) return '';
  if (raw.length > LIMITS.targetChars)
    throw new Refusal('request_too_large', { detail: 'The query is too long.' });
  for (let at = 0; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    // Broken escapes stay: the bytes are the same for everyone, and every sender of `?q=100%` would be shut out.
    if (code <= 0x20 || code >= 0x7f || code === 0x23) {
      throw malformed('it holds a control byte, a space, a fragment or a character outside ASCII');
    }
  }
  return raw;
}

/** The names of a query's parameters, for the log: values may be secrets, names tell what was asked. */
export function queryNames(query: string): string {
  if (query === '') return '';
  const names = query.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    return equals < 0 ? pair : `${pair.slice(0, equals)}=`;
  });
  return `?${names.join('&')}`;
}

function malformed(why: string): Refusal {
  return new Refusal('request_malformed', { detail: `The query is not accepted: ${why}.` });
}
