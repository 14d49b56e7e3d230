import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { CliFault, EXIT } from '../fault.ts';
import { type Trust, trustOption } from '../trust.ts';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly trust: Trust;
}

/**
 * One request to the control plane, over agents of our own: an admin token must not go through a proxy that
 * the environment names (`sallyport run` itself names one). No redirect is followed.
 */
export function exchange(o: HttpRequest): Promise<IncomingMessage> {
  const { url, method, signal } = o;
  const headers =
    o.body === undefined
      ? o.headers
      : {
          ...o.headers,
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(o.body)),
        };
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { method, headers, signal, agent: new TlsAgent(), ...trustOption(o.trust) })
        : httpRequest(url, { method, headers, signal, agent: new Agent() });
    request.once('response', resolve);
    request.once('error', (cause) => reject(signal.aborted ? cause : unreachable(url, cause)));
    request.end(o.body);
  });
}

function unreachable(url: URL, cause: Error): CliFault {
  const why = 'code' in cause ? String(cause.code) : cause.message;
  return new CliFault(
    EXIT.unreachable,
    'unreachable',
    `The service at ${url.origin} can not be reached: ${why}.`,
    {
      remedy: 'Start it with `sallyport up` (or `npm start`), or name another one with --url.',
      cause,
    },
  );
}
