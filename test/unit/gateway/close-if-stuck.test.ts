import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { closeIfStuck } from '../../../src/gateway/close-if-stuck.ts';

/** More than the kernel buffers for one connection. */
const BYTES = 32 * 1024 * 1024;

let server: Server;
let closed: Promise<boolean>;

beforeEach(async () => {
  const outcome = Promise.withResolvers<boolean>();
  closed = outcome.promise;
  server = createServer((_request, response) => {
    response.once('close', () => outcome.resolve(response.writableFinished));
    response.end(Buffer.alloc(BYTES));
    closeIfStuck(response, 100);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const ask = () =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    get({ port, host: '127.0.0.1', agent: false }, resolve).once('error', reject);
  });

test('a client that takes nothing is cut', async () => {
  const answer = await ask();
  answer.once('error', () => undefined);
  expect(await closed).toBe(false);
  answer.destroy();
});

test('a client that reads gets all of it', async () => {
  let bytes = 0;
  for await (const chunk of await ask()) bytes += chunk.length;
  expect(bytes).toBe(BYTES);
  expect(await closed).toBe(true);
});
