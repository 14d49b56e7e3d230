import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Registry } from 'prom-client';
import type { Readiness } from './readiness.ts';

export interface Monitor {
  close(): Promise<void>;
}

/**
 * The listener for those who watch the service: `/healthz`, `/readyz`, `/metrics`. Whoever reaches it may read it,
 * so it is off unless a port is set, and on loopback unless an address is.
 */
export async function openMonitor(o: {
  readonly host: string;
  readonly port: number;
  readonly readiness: Readiness;
  /** Null: no metrics. */
  readonly registry: Registry | null;
  readonly onFault: (fault: unknown) => void;
}): Promise<Monitor> {
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000 }, (request, response) => {
    answer(request, response).catch((fault: unknown) => {
      o.onFault(fault);
      response.destroy();
    });
  });
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!isWatchersHost(request.headers.host, o.host))
      return send(response, 421, 'text/plain', 'Misdirected.\n');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, 405, 'text/plain', 'Use GET.\n');
    const [path] = (request.url ?? '').split('?');
    if (path === '/healthz') return sendJson(response, 200, { status: 'ok' });
    if (path === '/readyz') {
      const { ready, parts } = await o.readiness.ask();
      return sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not_ready', parts });
    }
    if (path === '/metrics' && o.registry !== null) {
      return send(response, 200, o.registry.contentType, await o.registry.metrics());
    }
    send(response, 404, 'text/plain', 'Here are /healthz, /readyz and /metrics.\n');
  };
  server.listen(o.port, o.host);
  await once(server, 'listening');
  return {
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** On loopback a page in a browser could be led here by a name of its own (DNS rebinding). */
function isWatchersHost(field: string | undefined, bound: string): boolean {
  if (!/^(127\.|::1$|localhost$)/.test(bound)) return true;
  const host = (field ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return host === 'localhost' || isIP(host) !== 0;
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
