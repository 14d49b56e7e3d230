import { createServer as createHttpServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemDial } from '../../../src/gateway/egress/connector.ts';
import { PinnedAgent, type PinnedAgentOptions } from '../../../src/gateway/egress/pinned-agent.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).reverse()) close();
});

/** A server that tells its connections, and an agent for it. */
async function bench(o: Partial<PinnedAgentOptions> & { readonly port?: number } = {}) {
  const held: (() => void)[] = [];
  const sockets: Socket[] = [];
  const server = createHttpServer((incoming, response) => {
    const answer = () => void response.end('answer');
    if (incoming.url === '/held') held.push(answer);
    else answer();
  });
  server.on('connection', (socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = o.port ?? (server.address() as AddressInfo).port;
  const dialled = vi.fn(systemDial);
  const agent = new PinnedAgent(
    {
      destination: {
        origin: { scheme: 'http', host: '127.0.0.1', port },
        addresses: ['127.0.0.1'],
        key: '127.0.0.1',
      },
      upstreamCa: null,
      dial: dialled,
      connectTimeoutMs: 5_000,
    },
    { maxSockets: 4, maxFreeSockets: 2, idleTimeoutMs: 60_000, ...o },
  );
  closing.push(
    () => agent.destroy(),
    () => server.close(),
    () => server.closeAllConnections(),
  );
  return { agent, held, sockets, dialled };
}

function ask(agent: PinnedAgent, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ agent, path, headers: ['host', 'api.example', 'authorization', 'Bearer fake'] })
      .on('error', reject)
      .on('response', (incoming: IncomingMessage) => {
        let text = '';
        incoming.on('data', (chunk) => (text += chunk)).on('end', () => resolve(text));
      })
      .end();
  });
}

function openedBy(dialled: Awaited<ReturnType<typeof bench>>['dialled']): readonly Socket[] {
  return dialled.mock.results.map(({ value }) => value as Socket);
}

/** The answer is with us a moment before its connection is free. */
async function afterwards(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('connections to one destination', () => {
  test('are used again, and hold nothing of the request that had them', async () => {
    const { agent, dialled } = await bench();
    for (let at = 0; at < 3; at++) {
      expect(await ask(agent)).toBe('answer');
      await afterwards();
    }
    expect(dialled).toHaveBeenCalledTimes(1);
    expect(openedBy(dialled).map((socket) => Reflect.get(socket, '_httpMessage'))).toEqual([null]);
  });

  test('are as many as are allowed; more calls wait for one, also for one that breaks', async () => {
    const { agent, held, sockets, dialled } = await bench({ maxSockets: 2 });
    const first = [ask(agent, '/held'), ask(agent, '/held')];
    await vi.waitFor(() => expect(held).toHaveLength(2));
    const waiting = [ask(agent), ask(agent), ask(agent)];
    await afterwards();
    expect(dialled).toHaveBeenCalledTimes(2);
    held[0]?.();
    expect(await first[0]).toBe('answer');
    expect(await Promise.all(waiting)).toEqual(['answer', 'answer', 'answer']);
    const broken = first[1]?.catch((fault: Error) => fault);
    for (const socket of sockets.splice(0)) socket.destroy();
    expect(await broken).toBeInstanceOf(Error);
    expect(await ask(agent)).toBe('answer');
  });

  test('that nobody uses are closed: those beyond the number that is kept, and all after their time', async () => {
    const { agent, held, dialled } = await bench({ maxFreeSockets: 1, idleTimeoutMs: 100 });
    const all = [ask(agent, '/held'), ask(agent, '/held'), ask(agent, '/held')];
    await vi.waitFor(() => expect(held).toHaveLength(3));
    for (const answer of held) answer();
    await Promise.all(all);
    const opened = openedBy(dialled);
    await vi.waitFor(() => expect(opened.filter(({ destroyed }) => !destroyed)).toHaveLength(1));
    await vi.waitFor(() => expect(opened.every(({ destroyed }) => destroyed)).toBe(true));
    expect(await ask(agent)).toBe('answer');
    expect(dialled).toHaveBeenCalledTimes(4);
  });

  test('on which bytes come that nobody asked for are not used again', async () => {
    const { agent, sockets, dialled } = await bench();
    await ask(agent);
    await afterwards();
    sockets[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison');
    await vi.waitFor(() => expect(openedBy(dialled)[0]?.destroyed).toBe(true));
    expect(await ask(agent)).toBe('answer');
    expect(dialled).toHaveBeenCalledTimes(2);
  });

  test('of a retired agent end with their calls', async () => {
    const { agent, held, dialled } = await bench();
    const call = ask(agent, '/held');
    await vi.waitFor(() => expect(held).toHaveLength(1));
    agent.retire();
    held[0]?.();
    expect(await call).toBe('answer');
    await vi.waitFor(() => expect(openedBy(dialled)[0]?.destroyed).toBe(true));
  });

  test('that can not be made fail the call that wanted them, and the next may try', async () => {
    const free = await new Promise<number>((resolve) => {
      const server = createHttpServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address() as AddressInfo;
        server.close(() => resolve(port));
      });
    });
    const { agent, dialled } = await bench({ port: free, maxSockets: 1 });
    const faults = await Promise.all([ask(agent), ask(agent)].map((one) => one.catch((fault) => fault.code)));
    expect(faults).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
    expect(dialled).toHaveBeenCalledTimes(2);
  });
});
