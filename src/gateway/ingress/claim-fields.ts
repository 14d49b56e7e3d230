import { type HeaderList, Refusal } from '../../core/index.ts';

/** Fields by which frameworks let a request be served as one of another method. */
const METHOD_CLAIMS: ReadonlySet<string> = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
]);

/** Fields by which frameworks let a request be served as one for another path. */
const TARGET_CLAIMS: ReadonlySet<string> = new Set(['x-original-url', 'x-original-uri', 'x-rewrite-url']);

/** What only a proxy on the way may say; an agent is none, and upstreams that believe it skip their own checks. */
const PROXY_CLAIMS: ReadonlySet<string> = new Set([
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
]);

/** Whether a name (lower case) makes a claim about the request itself. */
export function claimsAnotherRequest(name: string): boolean {
  return METHOD_CLAIMS.has(name) || TARGET_CLAIMS.has(name);
}

/** Whether the field is for proxies to say: it never goes upstream (the attack is CVE-2026-40575). */
export function isProxyClaim(name: string): boolean {
  return PROXY_CLAIMS.has(name) || name.startsWith('x-forwarded-');
}

/**
 * Policy judges the request line. A field by which the upstream would serve another request is refused, unless it
 * says the same (G3). Throws `request_ambiguous`.
 */
export function refuseOtherRequest(headers: HeaderList, method: string): void {
  for (const [name, value] of headers) {
    if (METHOD_CLAIMS.has(name) && value.trim().toUpperCase() !== method) {
      throw new Refusal('request_ambiguous', {
        detail: `${name} names another method than the request line.`,
      });
    }
    if (TARGET_CLAIMS.has(name)) {
      throw new Refusal('request_ambiguous', {
        detail: `${name} can name another path than the request line.`,
      });
    }
  }
}
