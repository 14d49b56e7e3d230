import http from 'node:http';
import https from 'node:https';
import { type Trust, trustOption } from '../trust.ts';
import { RelayFault } from './fault.ts';

/** Answers of the issuer and of the gateway's own endpoints are small. */
const ANSWER_BYTES = 1024 * 1024;
const TIMEOUT_MS = 15_000;

export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | null;
  readonly text: string;
}

/**
 * One small request to the issuer or to the gateway itself. Not `fetch`: a proxy in this process's
 * environment must not come between us and them.
 */
export function exchange(
  party: 'issuer' | 'gateway',
  request: {
    readonly method: string;
    readonly url: URL;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly trust: Trust;
  },
): Promise<Answer> {
  const { method, url, headers, body, trust } = request;
  const { request: send, Agent } = url.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(
        new RelayFault(
          `${party}_unreachable`,
          `the ${party} at ${url.origin} can not be reached (${describe(cause)}); is it running?`,
          { cause },
        ),
      );
    const outgoing = send(url, {
      method,
      headers: { accept: 'application/json', ...headers },
      agent: new Agent({ keepAlive: false }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...trustOption(trust),
    });
    outgoing.once('error', fail);
    outgoing.once('response', (incoming) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      incoming.once('error', fail);
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES) incoming.destroy(new Error('its answer is too large'));
        else chunks.push(chunk);
      });
      incoming.once('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          header: (name) => incoming.headersDistinct[name]?.[0] ?? null,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.end(body);
  });
}

/** Node reports a refused connection to a name with several addresses as an AggregateError without a message. */
function describe(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(describe).join(', ');
  return cause instanceof Error ? cause.message : String(cause);
}
