import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test, vi } from 'vitest';
import { systemDial } from '../../../src/gateway/egress/connector.ts';
import { PinnedAgent } from '../../../src/gateway/egress/pinned-agent.ts';
import { Exchange } from '../../../src/gateway/forward/exchange.ts';
import { makeTestAuthority } from '../../support/certificates.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

/** Answers at once, before the request is whole, and in a thread of its own: also while this one is busy. */
const SERVER = `
  const { workerData, parentPort } = require('node:worker_threads');
  const server = require('node:https').createServer(workerData, (request, response) => {
    if (request.url === '/streamed') response.write('the ');
    response.end('answer');
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

async function bench() {
  const authority = await makeTestAuthority('Upstream');
  const server = new Worker(SERVER, { eval: true, workerData: await authority.issue('127.0.0.1') });
  const [port] = await once(server, 'message');
  const dialled = vi.fn(systemDial);
  const agent = new PinnedAgent(
    {
      destination: {
        origin: { scheme: 'https', host: '127.0.0.1', port },
        addresses: ['127.0.0.1'],
        key: '127.0.0.1',
      },
      upstreamCa: authority.certificatePem,
      dial: dialled,
      connectTimeoutMs: 5_000,
    },
    { maxSockets: 4, maxFreeSockets: 2, idleTimeoutMs: 60_000 },
  );
  closing.push(
    () => agent.destroy(),
    () => void server.terminate(),
  );
  const ask = async (target: string, body: AsyncIterable<Uint8Array> | null) => {
    const exchange = Exchange.start(agent, {
      method: body === null ? 'GET' : 'POST',
      target,
      headers: [],
      body,
      contentLength: null,
      authority: 'api.example',
      timeoutMs: 5_000,
    });
    const { body: answer } = await exchange.response();
    return answer instanceof Uint8Array ? Buffer.from(answer).toString() : text(answer);
  };
  return { ask, dialled };
}

test('an answer that is faster than the word that the head was written keeps its connection', async () => {
  const { ask, dialled } = await bench();
  for (let at = 0; at < 3; at++) {
    // What is written at the end of a turn is said to be written at the end of the next one, behind its answers.
    await new Promise((resolve) => setImmediate(resolve));
    const answer = ask('/streamed', null);
    await new Promise((resolve) => process.nextTick(resolve));
    const until = performance.now() + 50;
    while (performance.now() < until);
    expect(await answer).toBe('the answer');
  }
  expect(dialled).toHaveBeenCalledTimes(1);
});

test('an answer before the body was whole ends the connection', async () => {
  const { ask, dialled } = await bench();
  const endless = async function* () {
    for (;;) {
      yield new Uint8Array(1024);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  expect(await ask('/whole', endless())).toBe('answer');
  expect(await ask('/whole', endless())).toBe('answer');
  expect(dialled).toHaveBeenCalledTimes(2);
});
