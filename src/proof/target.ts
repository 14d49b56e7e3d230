import { parseUrl } from '../core/index.ts';

const AUTHORITY = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253}):[0-9]{1,5}$/i;
/** Also an empty one (`https://@host/`), which the URL parser drops. An `@` in a path is an npm scope. */
const USER_INFORMATION = /^[a-z]+:[/\\]*[^/\\?#]*@/i;

/**
 * The form in which two `htu` values are compared: scheme and host in lower case, no default port, no query
 * and no fragment (RFC 9449 section 4.3, check 9). For CONNECT it is the authority, which is the whole target
 * of that method. Null for what names no target, and for user information, which hides the true host.
 */
export function normalizeTarget(htm: string, htu: string): string | null {
  if (htm === 'CONNECT') return AUTHORITY.test(htu) ? htu.toLowerCase() : null;
  const url = parseUrl(htu);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return null;
  if (USER_INFORMATION.test(htu) || /[\\\s]/.test(htu)) return null;
  return `${url.origin}${url.pathname}`;
}
