import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { childInput, tellReady } from './lib/child.ts';

/** The service behind everything that is measured: answers 1 KB of JSON, over http and https. */
const { cert, key } = childInput<{ cert: string; key: string }>();
const body = Buffer.from(JSON.stringify({ answer: 'a'.repeat(1024 - '{"answer":""}'.length) }));
const answer: RequestListener = (request, response) => {
  request.resume();
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
};
const open = (server: Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
const settings = { keepAliveTimeout: 120_000, noDelay: true };
tellReady({
  http: await open(createServer(settings, answer)),
  https: await open(createTlsServer({ ...settings, cert, key }, answer)),
});
