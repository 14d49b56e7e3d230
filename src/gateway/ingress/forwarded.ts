import type { HeaderList } from '../../core/index.ts';

/** Fields by which proxies say that they stand between (RFC 7239, RFC 9110 section 7.6.3, and older habits). */
const FIELDS: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
]);

/**
 * Whether a proxy says that it stands between. Nothing in these fields is believed; they only take away what
 * loopback would have allowed, since behind a proxy on this machine everybody seems to come from it.
 */
export function cameThroughProxy(headers: HeaderList): boolean {
  return headers.some(([name]) => FIELDS.has(name.toLowerCase()));
}
