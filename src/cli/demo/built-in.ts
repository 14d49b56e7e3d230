import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of the demo on the loopback interface, and what arrived at it. */
interface BuiltIn {
  readonly url: string;
  close(): Promise<void>;
}

/** An upstream that says what it saw: it stands for a real API, and echoes like a careless one. */
export interface EchoUpstream extends BuiltIn {
  /** Authorization fields that arrived, newest last. */
  readonly seen: readonly string[];
}

export async function startUpstream(): Promise<EchoUpstream> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const key = request.headers.authorization ?? '(none)';
    seen.push(key);
    const encoded = Buffer.from(key).toString('base64');
    response.setHeader('content-type', 'application/json');
    if (request.url === '/echo') response.end(JSON.stringify({ youSent: key, inBase64: encoded }));
    else response.end(JSON.stringify({ items: ['first', 'second'] }));
  });
  return { ...(await listen(server)), seen };
}

/** One webhook as it came over the wire. */
export interface ReceivedWebhook {
  readonly headers: Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>>;
  readonly body: string;
}

export interface WebhookReceiver extends BuiltIn {
  /** The first webhook; rejects after `timeoutMs`. */
  first(timeoutMs: number): Promise<ReceivedWebhook>;
}

export async function startReceiver(): Promise<WebhookReceiver> {
  const arrived = Promise.withResolvers<ReceivedWebhook>();
  const server = createServer(
    (request, response) => void receive(request, response).then(arrived.resolve, arrived.reject),
  );
  return {
    ...(await listen(server)),
    async first(timeoutMs) {
      const timer = setTimeout(() => arrived.reject(new Error('no webhook arrived in time')), timeoutMs);
      return arrived.promise.finally(() => clearTimeout(timer));
    },
  };
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<ReceivedWebhook> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  response.writeHead(204).end();
  const field = (name: string): string => String(request.headers[name] ?? '');
  return {
    headers: {
      'webhook-id': field('webhook-id'),
      'webhook-timestamp': field('webhook-timestamp'),
      'webhook-signature': field('webhook-signature'),
    },
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

async function listen(server: Server): Promise<BuiltIn> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
