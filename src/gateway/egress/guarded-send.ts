import { request as openRequest } from 'node:http';
import type { Socket } from 'node:net';
import { LIMITS, Refusal } from '../../core/index.ts';
import { canonicalHost, defaultPort, parseAuthority } from '../ingress/authority.ts';
import { connectPinned, type Dial } from './connector.ts';
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
export async function guardedSend(
  { guard, dial }: { readonly guard: EgressGuard; readonly dial: Dial },
  request: GuardedRequest,
): Promise<GuardedAnswer> {
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
  const destination = await guard.pin(origin, request);
  const { timeoutMs } = request;
  const socket = await connectPinned({ destination, upstreamCa: null, dial, connectTimeoutMs: timeoutMs });
  return post(socket, url, request).finally(() => socket.destroy());
}

function post(
  socket: Socket,
  url: URL,
  { headers, body, timeoutMs }: GuardedRequest,
): Promise<GuardedAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = openRequest({
      createConnection: () => socket,
      method: 'POST',
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body), connection: 'close' },
      maxHeaderSize: LIMITS.headBytes,
      signal: AbortSignal.timeout(timeoutMs),
    });
    outgoing.once('error', reject).once('response', ({ statusCode = 0, headers: answered }) => {
      resolve({ status: statusCode, retryAfterMs: retryAfter(answered['retry-after']) });
      outgoing.on('error', () => undefined).destroy();
    });
    outgoing.end(body);
  });
}

/** Seconds or an HTTP date (RFC 9110 section 10.2.3). */
function retryAfter(value: string | undefined): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}
