import { Client } from 'undici';
import { formatOrigin, LIMITS, Refusal } from '../../core/index.ts';
import { canonicalHost, defaultPort, parseAuthority } from '../ingress/authority.ts';
import { pinnedConnector } from './connector.ts';
import type { EgressGuard } from './destination.ts';
import { parseUrl } from './url.ts';

export interface GuardedRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly allowPrivate: boolean;
}

export interface GuardedAnswer {
  readonly status: number;
  readonly retryAfterMs: number | null;
}

/**
 * One POST to a URL that an administrator wrote (a webhook), under the same rules as calls: every address
 * checked and pinned, TLS verified, no redirect followed, the answer's body thrown away. Throws `Refusal`,
 * or what the connection failed with.
 */
export async function guardedSend(guard: EgressGuard, request: GuardedRequest): Promise<GuardedAnswer> {
  const url = parseUrl(request.url);
  if (
    url === null ||
    (url.protocol !== 'https:' && url.protocol !== 'http:') ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw new Refusal('input_invalid', { detail: 'The URL is not a plain http or https URL.' });
  }
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const host = url.hostname.startsWith('[') ? parseAuthority(url.hostname).host : canonicalHost(url.hostname);
  const origin = { scheme, host, port: url.port === '' ? defaultPort(scheme) : Number(url.port) } as const;
  const signal = AbortSignal.timeout(request.timeoutMs);
  const destination = await guard.pin(origin, request);
  const client = new Client(formatOrigin(origin), {
    connect: pinnedConnector({ destination, upstreamCa: null, connectTimeoutMs: request.timeoutMs }),
    allowH2: false,
    headersTimeout: request.timeoutMs,
    bodyTimeout: request.timeoutMs,
    maxHeaderSize: LIMITS.headBytes,
  });
  try {
    const answer = await client.request({
      method: 'POST',
      path: `${url.pathname}${url.search}`,
      headers: request.headers,
      body: request.body,
      signal,
    });
    answer.body.destroy();
    answer.body.on('error', () => undefined);
    return { status: answer.statusCode, retryAfterMs: retryAfter(answer.headers['retry-after']) };
  } finally {
    await client.destroy();
  }
}

/** Seconds or an HTTP date (RFC 9110 section 10.2.3). */
function retryAfter(value: string | string[] | undefined): number | null {
  if (typeof value !== 'string') return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}
