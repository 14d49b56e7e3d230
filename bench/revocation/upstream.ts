import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const EVERY_MS = 2;

/** Answers `/item` at once, and `/stream` with a drop every two milliseconds until somebody hangs up. */
export async function openDripUpstream(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url !== '/stream') return void response.end('{"item":1}');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => response.write('data: drop\n\n'), EVERY_MS);
    response.once('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
