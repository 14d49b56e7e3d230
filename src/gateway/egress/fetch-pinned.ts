import { type IncomingHttpHeaders, request as openRequest } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, LIMITS, Refusal } from '../../core/index.ts';
import { canonicalHost, defaultPort, parseAuthority } from '../ingress/authority.ts';
import { connectPinned, type Dial, systemDial } from './connector.ts';
import { EgressGuard, type Resolve } from './destination.ts';
import { parseUrl } from './url.ts';

export interface PinnedRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly mostBytes: number;
  /** For all of it, from the look-up to the last byte. */
  readonly timeoutMs: number;
  /** Addresses of one's own network, and then plain http as well. */
  readonly allowPrivate: boolean;
}

export interface PinnedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface PinnedFetchOptions {
  readonly clock: Clock;
  /** Ports of the gate itself. */
  readonly ownPorts: readonly number[];
  readonly resolve?: Resolve;
  readonly dial?: Dial;
  /** PEM; null: the authorities that Node ships with. */
  readonly ca?: string | null;
}

/** Asks once. Throws Refusal, or what the connection failed with. */
export type PinnedFetch = (request: PinnedRequest) => Promise<PinnedAnswer>;

/**
 * Requests of the gate itself under the rules of egress: every address that the name resolves to is checked and pinned,
 * TLS verified, no redirect followed, size and time bounded.
 */
export function pinnedFetch(o: PinnedFetchOptions): PinnedFetch {
  const guard = new EgressGuard({
    now: () => o.clock.now(),
    ownPorts: () => o.ownPorts,
    ...(o.resolve === undefined ? {} : { resolve: o.resolve }),
  });
  return async (asked) => {
    const url = parseUrl(asked.url);
    const plain = url?.protocol === 'http:' && asked.allowPrivate;
    if (url === null || (url.protocol !== 'https:' && !plain) || url.username !== '' || url.password !== '') {
      throw new Refusal('input_invalid', { detail: 'The URL is not a plain https URL.' });
    }
    const host = url.hostname.startsWith('[')
      ? parseAuthority(url.hostname).host
      : canonicalHost(url.hostname);
    const scheme = plain ? 'http' : 'https';
    const port = url.port === '' ? defaultPort(scheme) : Number(url.port);
    const signal = AbortSignal.timeout(asked.timeoutMs);
    const destination = await guard.pin({ scheme, host, port }, asked);
    const socket = await connectPinned({
      destination,
      upstreamCa: o.ca ?? null,
      dial: o.dial ?? systemDial,
      connectTimeoutMs: asked.timeoutMs,
    });
    return exchange(socket, url, asked, signal).finally(() => socket.destroy());
  };
}

function exchange(
  socket: Socket,
  url: URL,
  asked: PinnedRequest,
  signal: AbortSignal,
): Promise<PinnedAnswer> {
  const { method, headers, body, mostBytes } = asked;
  return new Promise((resolve, reject) => {
    const outgoing = openRequest({
      createConnection: () => socket,
      method,
      path: `${url.pathname}${url.search}`,
      headers: {
        ...headers,
        host: url.host,
        'accept-encoding': 'identity',
        connection: 'close',
        ...(body === null ? {} : { 'content-length': Buffer.byteLength(body) }),
      },
      maxHeaderSize: LIMITS.headBytes,
      signal,
    });
    outgoing.once('error', reject).once('response', (answer) => {
      const chunks: Buffer[] = [];
      let length = 0;
      answer.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > mostBytes) outgoing.destroy(new Error(`the document has more than ${mostBytes} bytes`));
        else chunks.push(chunk);
      });
      answer.once('error', reject).once('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.end(body ?? undefined);
  });
}
