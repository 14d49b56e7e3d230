import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Refusal } from '../../src/core/index.ts';
import {
  type FakeGate,
  type FakeGateOptions,
  makeService,
  openFakeGate,
  readRaw,
  sendRaw,
} from '../support/gate-fakes.ts';

/** Who holds connections to wear the gate out, on either side of it; and upstreams that close when it hurts. */

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

/** An upstream in bytes: `serve` gets each connection with its number, and each request head on it. */
async function upstreamOf(
  serve: (socket: Socket, request: string, at: { connection: number; request: number }) => void,
): Promise<{ readonly port: number; readonly connections: () => number }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const connection = sockets.push(socket);
    let request = 0;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      request += 1;
      serve(socket, bytes.toString('latin1'), { connection, request });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return { port: (server.address() as AddressInfo).port, connections: () => sockets.length };
}

async function gateBefore(port: number, o: FakeGateOptions = {}): Promise<FakeGate> {
  const gate = await openFakeGate({
    services: [makeService({ origins: [{ scheme: 'http', host: 'api.example', port: 80 }] })],
    resolve: async () => ['127.0.0.1'],
    dial: () => connect(port, '127.0.0.1'),
    ...o,
  });
  opened.push(gate);
  return gate;
}

function client(gate: FakeGate): Socket {
  const socket = connect({ port: gate.gateway.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  opened.push({ close: () => socket.destroy() });
  return socket;
}

/** Resolves when the gate has let go of the connection altogether: then, and not before, writing is answered by a reset. */
async function letGo(socket: Socket): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const knocking = setInterval(() => socket.write('x'), 50);
  await closed;
  clearInterval(knocking);
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a client that keeps what it was refused', () => {
  test('a refused CONNECT is closed whether or not the client closes', async () => {
    const gate = await gateBefore(1);
    const socket = client(gate);
    socket.write('CONNECT nowhere.example:443 HTTP/1.1\r\nHost: nowhere.example:443\r\n\r\n');
    const { text } = await readRaw(socket, 2_000, (got) => got.includes('service_unknown'), false);
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    await letGo(socket);
  });

  test('a head inside a tunnel has to come in time, like any other', async () => {
    const upstream = await upstreamOf((socket) => socket.write(OK));
    const gate = await gateBefore(upstream.port, { options: { requestTimeoutMs: 200 } });
    const socket = client(gate);
    socket.write('CONNECT api.example:80 HTTP/1.1\r\nHost: api.example:80\r\n\r\n');
    await readRaw(socket, 2_000, (got) => got.includes('200'), false);
    socket.write('GET /x HTTP/1.1\r\nHost: api.example\r\nX-Slow: ');
    const { text } = await readRaw(socket, 4_000, (got) => got.includes('\r\n\r\n'), false);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    await letGo(socket);
  });

  test('a tunnel whose passport has expired is closed whether or not the client closes', async () => {
    const upstream = await upstreamOf((socket) => socket.write(OK));
    const gate = await gateBefore(upstream.port, { passport: () => ({ expiresAt: Date.now() + 300 }) });
    const socket = client(gate);
    socket.write('CONNECT api.example:80 HTTP/1.1\r\nHost: api.example:80\r\n\r\n');
    await readRaw(socket, 2_000, (got) => got.includes('200'), false);
    socket.write('GET /x HTTP/1.1\r\nHost: api.example\r\n\r\n');
    await readRaw(socket, 2_000, (got) => got.endsWith('ok'), false);
    await letGo(socket);
  });

  test('a body that comes drop by drop does not outlive the passport', async () => {
    const upstream = await upstreamOf((socket) => socket.write(OK));
    let expired = false;
    const gate = await gateBefore(upstream.port, {
      policy: { needsBody: () => true },
      recheck: () => {
        if (expired) throw new Refusal('passport_expired');
      },
    });
    const socket = client(gate);
    const host = `127.0.0.1:${gate.gateway.port}`;
    socket.write(`POST /s/api/x HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 2\r\n\r\na`);
    await pause(50);
    expired = true;
    socket.write('b');
    const { text } = await readRaw(socket, 2_000, (got) => got.includes('\r\n\r\n'));
    expect(text).toMatch(/^HTTP\/1\.1 401 /);
    expect(gate.of('call.permitted')).toEqual([]);
    expect(upstream.connections()).toBe(0);
  });

  test('a fault behind pipelined requests adds nothing to an answer that is under way', async () => {
    const upstream = await upstreamOf((socket, request) => {
      if (request.includes('/slow')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun');
    });
    const gate = await gateBefore(upstream.port);
    const socket = client(gate);
    const host = `Host: 127.0.0.1:${gate.gateway.port}\r\n\r\n`;
    socket.write(`GET /s/api/slow HTTP/1.1\r\n${host}`);
    await readRaw(socket, 2_000, (got) => got.endsWith('begun'), false);
    socket.write(`GET /s/api/silent HTTP/1.1\r\n${host}`);
    await pause(50);
    socket.write('NOT HTTP\r\n\r\n');
    const { text } = await readRaw(socket, 2_000, () => false);
    expect(text).toBe('');
  });
});

test.each([
  ['by itself', '', true],
  ['through a proxy on this machine', 'X-Forwarded-For: 203.0.113.9\r\n', false],
])('a CONNECT that came %s counts as from this machine or not', async (_name, field, expected) => {
  const shown: (boolean | undefined)[] = [];
  const verify = async (presented: { readonly loopback: boolean } | null) => {
    shown.push(presented?.loopback);
    throw new Refusal('passport_unbound');
  };
  const gate = await gateBefore(1, { options: { verifier: { verify } as never } });
  await sendRaw(
    gate.gateway.port,
    [
      `CONNECT api.example:80 HTTP/1.1\r\nHost: api.example:80\r\nProxy-Authorization: Bearer abc\r\n${field}\r\n`,
    ],
    { head: true },
  );
  expect(shown).toEqual([expected]);
});

describe('a connection that the upstream closed while it was kept', () => {
  /** Answers the first request of the first connection; closes on its second one. */
  const closesOnSecond = () =>
    upstreamOf((socket, _request, at) => {
      if (at.connection === 1 && at.request === 2) socket.destroy();
      else socket.write(OK);
    });
  const ask = (gate: FakeGate, head: string, body = '') => {
    const host = `127.0.0.1:${gate.gateway.port}`;
    return sendRaw(gate.gateway.port, [`${head}\r\nHost: ${host}\r\nConnection: close\r\n\r\n${body}`], {
      quietMs: 2_000,
    });
  };

  test.each(['GET', 'DELETE'])('%s without a body is sent once more, on a fresh one', async (method) => {
    const upstream = await closesOnSecond();
    const gate = await gateBefore(upstream.port);
    expect((await ask(gate, 'GET /s/api/x HTTP/1.1')).status).toBe(200);
    expect((await ask(gate, `${method} /s/api/x HTTP/1.1`)).status).toBe(200);
    expect(upstream.connections()).toBe(2);
    await vi.waitFor(() => expect(gate.of('call.completed')).toHaveLength(2));
    expect(gate.of('call.permitted')).toHaveLength(2);
  });

  test.each([
    ['POST', ''],
    ['PUT', '\r\nContent-Length: 2'],
  ])('%s%s is not: it may have been done', async (method, length) => {
    const upstream = await closesOnSecond();
    const gate = await gateBefore(upstream.port);
    await ask(gate, 'GET /s/api/x HTTP/1.1');
    const answer = await ask(gate, `${method} /s/api/x HTTP/1.1${length}`, length === '' ? '' : 'hi');
    expect(answer.status).toBe(502);
    expect(upstream.connections()).toBe(1);
  });

  test('once is all: an upstream that closes every time is unreachable', async () => {
    const upstream = await upstreamOf((socket, _request, at) => {
      if (at.connection === 1 && at.request === 1) socket.write(OK);
      else socket.destroy();
    });
    const gate = await gateBefore(upstream.port);
    await ask(gate, 'GET /s/api/x HTTP/1.1');
    expect((await ask(gate, 'GET /s/api/x HTTP/1.1')).status).toBe(502);
    expect(upstream.connections()).toBe(2);
  });

  test('a fresh connection that is closed is no reason to try again', async () => {
    const upstream = await upstreamOf((socket) => socket.destroy());
    const gate = await gateBefore(upstream.port);
    expect((await ask(gate, 'GET /s/api/x HTTP/1.1')).status).toBe(502);
    expect(upstream.connections()).toBe(1);
  });
});

describe('an upstream that talks without end', () => {
  test('interim answers do not put off the time in which an answer has to begin', async () => {
    const upstream = await upstreamOf((socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'), 20);
      socket.once('close', () => clearInterval(timer));
    });
    const gate = await gateBefore(upstream.port, { options: { upstreamTimeoutMs: 300 } });
    const host = `127.0.0.1:${gate.gateway.port}`;
    const { status } = await sendRaw(gate.gateway.port, [`GET /s/api/x HTTP/1.1\r\nHost: ${host}\r\n\r\n`], {
      quietMs: 3_000,
      head: true,
    });
    expect(status).toBe(504);
  });

  test('trailers that would change what the head said go no further', async () => {
    const upstream = await upstreamOf((socket) =>
      socket.write(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n' +
          'X-Sum: 7\r\nSet-Cookie: a=1\r\nLocation: https://elsewhere.example/\r\nContent-Encoding: gzip\r\n\r\n',
      ),
    );
    const gate = await gateBefore(upstream.port);
    const host = `127.0.0.1:${gate.gateway.port}`;
    const { text } = await sendRaw(gate.gateway.port, [
      `GET /s/api/x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    ]);
    expect(text.slice(text.indexOf('\r\n0\r\n')).toLowerCase()).toBe('\r\n0\r\nx-sum: 7\r\n\r\n');
  });

  test('an upstream that switches protocols is refused, and its connection closed', async () => {
    let closed = false;
    const upstream = await upstreamOf((socket) => {
      socket.once('close', () => {
        closed = true;
      });
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    });
    const gate = await gateBefore(upstream.port);
    const host = `127.0.0.1:${gate.gateway.port}`;
    const { status } = await sendRaw(gate.gateway.port, [`GET /s/api/x HTTP/1.1\r\nHost: ${host}\r\n\r\n`], {
      head: true,
    });
    expect(status).toBe(502);
    await vi.waitFor(() => expect(closed).toBe(true));
  });
});
