import { request as openRequest } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, LIMITS, Refusal } from '../../core/index.ts';
import { canonicalHost, defaultPort, parseAuthority } from '../ingress/authority.ts';
import { connectPinned, type Dial, systemDial } from './connector.ts';
import { EgressGuard, type Resolve } from './destination.ts';
import { parseUrl } from './url.ts';

export interface DocumentRequest {
  readonly url: string;
  readonly mostBytes: number;
  /** For all of it, from the look-up to the last byte. */
  readonly timeoutMs: number;
  readonly allowPrivate: boolean;
}

export interface DocumentAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly body: string;
}

/** Reads one document. Throws Refusal, or what the connection failed with. */
export type ReadDocument = (request: DocumentRequest) => Promise<DocumentAnswer>;

/**
 * Reads documents whose address a stranger names, under the rules of egress: https alone, every address that the name
 * resolves to is checked and pinned, no redirect is followed, and size and time are bounded.
 */
export function documentReader(o: {
  readonly clock: Clock;
  /** Ports of the gate itself. */
  readonly ownPorts: readonly number[];
  readonly resolve?: Resolve;
  readonly dial?: Dial;
  /** PEM; null: the authorities that Node ships with. */
  readonly ca?: string | null;
}): ReadDocument {
  const guard = new EgressGuard({
    now: () => o.clock.now(),
    ownPorts: () => o.ownPorts,
    ...(o.resolve === undefined ? {} : { resolve: o.resolve }),
  });
  return async (asked) => {
    const url = parseUrl(asked.url);
    if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
      throw new Refusal('input_invalid', { detail: 'The URL is not a plain https URL.' });
    }
    const host = url.hostname.startsWith('[')
      ? parseAuthority(url.hostname).host
      : canonicalHost(url.hostname);
    const port = url.port === '' ? defaultPort('https') : Number(url.port);
    const signal = AbortSignal.timeout(asked.timeoutMs);
    const destination = await guard.pin({ scheme: 'https', host, port }, asked);
    const socket = await connectPinned({
      destination,
      upstreamCa: o.ca ?? null,
      dial: o.dial ?? systemDial,
      connectTimeoutMs: asked.timeoutMs,
    });
    return read(socket, url, asked.mostBytes, signal).finally(() => socket.destroy());
  };
}

function read(socket: Socket, url: URL, mostBytes: number, signal: AbortSignal): Promise<DocumentAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = openRequest({
      createConnection: () => socket,
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        accept: 'application/json',
        'accept-encoding': 'identity',
        connection: 'close',
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
          contentType: answer.headers['content-type'] ?? '',
          cacheControl: answer.headers['cache-control'] ?? '',
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.end();
  });
}
