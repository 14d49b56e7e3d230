import { formatOrigin, type HeaderList, type HttpCall } from '../../core/index.ts';
import { parseUrl } from '../egress/url.ts';

const LINKS: ReadonlySet<string> = new Set(['location', 'content-location']);

/**
 * The fields of an answer as they are true under `/s/<service>/`. There all services share one host: a cookie for
 * its root would go to each of them, one service's session to the next, and a redirect to a path would leave the
 * service, one to its own address the gate.
 */
export function reverseFields(headers: HeaderList, call: Pick<HttpCall, 'origin' | 'service'>): HeaderList {
  const base = `/s/${call.service.name}`;
  return headers.map(([name, value]) => {
    if (LINKS.has(name)) return [name, underBase(value, base, formatOrigin(call.origin))];
    if (name === 'set-cookie') return [name, cookieUnderBase(value, base)];
    return [name, value];
  });
}

/** Links to other places stay as they are: the gate follows none, and the agent's client has no key to take along. */
function underBase(link: string, base: string, origin: string): string {
  if (link.startsWith('/') && !link.startsWith('//')) return `${base}${link}`;
  if (!/^(?:https?:)?\/\//i.test(link)) return link;
  const target = parseUrl(link, origin);
  const own = parseUrl(origin);
  if (target === null || target.origin !== own?.origin) return link;
  return `${base}${target.pathname}${target.search}${target.hash}`;
}

/** RFC 6265 section 5.2: attributes are cut at semicolons, quotes or not; a path that is no path counts as none. */
function cookieUnderBase(cookie: string, base: string): string {
  const [pair = '', ...attributes] = cookie.split(';').map((part) => part.trim());
  let hasPath = false;
  const kept = attributes.flatMap((attribute) => {
    const equals = attribute.indexOf('=');
    const name = equals < 0 ? attribute : attribute.slice(0, equals);
    const value = equals < 0 ? '' : attribute.slice(equals + 1).trim();
    if (name.trim().toLowerCase() === 'domain') return [];
    if (name.trim().toLowerCase() !== 'path') return [attribute];
    hasPath = true;
    return [`${name}=${base}${value.startsWith('/') ? value : '/'}`];
  });
  return [pair, ...kept, ...(hasPath ? [] : [`Path=${base}/`])].join('; ');
}
