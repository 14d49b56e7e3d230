import { type IncomingMessage, request as openRequest } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { LIMITS, Refusal } from '../../../src/core/index.ts';
import { type EchoUpstream, openEchoUpstream } from '../../support/echo-upstream.ts';
import {
  type FakeGate,
  type FakeGateOptions,
  makeService,
  openFakeGate,
  readRaw,
  sendRaw,
} from '../../support/gate-fakes.ts';

const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function bench(
  o: FakeGateOptions = {},
): Promise<{ readonly gate: FakeGate; readonly upstream: EchoUpstream }> {
  const upstream = await openEchoUpstream();
  opened.push(upstream);
  return { gate: await gateBefore(upstream.port, o), upstream };
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

/** An upstream that gives these bytes for each request. */
async function rawUpstream(bytes: string): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return (server.address() as AddressInfo).port;
}

function ask(
  gate: FakeGate,
  head: string,
): Promise<{ readonly text: string; readonly status: number | null }> {
  const host = `127.0.0.1:${gate.gateway.port}`;
  return sendRaw(gate.gateway.port, [`${head}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`], {
    quietMs: 2_000,
  });
}

function openStream(gate: FakeGate, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = openRequest({ host: '127.0.0.1', port: gate.gateway.port, path, agent: false });
    request.once('response', resolve).once('error', reject).end();
  });
}

describe('answers without a body', () => {
  test('HEAD keeps the length and sends no body', async () => {
    const gate = await gateBefore(await rawUpstream('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'));
    const answer = await ask(gate, 'HEAD /s/api/x HTTP/1.1');
    expect(answer.status).toBe(200);
    expect(answer.text.toLowerCase()).toContain('content-length: 5');
    expect(answer.text.endsWith('\r\n\r\n')).toBe(true);
  });

  test('204 has neither body nor length; 304 keeps its fields', async () => {
    const none = await gateBefore(await rawUpstream('HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n'));
    const gone = await ask(none, 'GET /s/api/x HTTP/1.1');
    expect(gone.status).toBe(204);
    expect(gone.text.toLowerCase()).not.toMatch(/content-length|transfer-encoding/);
    const same = await gateBefore(
      await rawUpstream('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 9\r\n\r\n'),
    );
    const kept = await ask(same, 'GET /s/api/x HTTP/1.1');
    expect(kept.status).toBe(304);
    expect(kept.text).toContain('"a"');
  });
});

describe('whoever leaves', () => {
  test('a client that hangs up ends the upstream’s request, and the record says so', async () => {
    const { gate } = await bench();
    const stream = await openStream(gate, '/s/api/stream');
    stream.on('error', () => undefined);
    stream.destroy();
    await vi.waitFor(() =>
      expect(gate.of('call.failed').map(({ data }) => data.code)).toEqual(['client_gone']),
    );
  });

  test('an upstream that breaks off in the middle breaks off the answer', async () => {
    const body = 'x'.repeat(64 * 1024);
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length * 2}\r\n\r\n${body}`);
        setTimeout(() => socket.destroy(), 50);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push({ close: () => server.close() });
    const gate = await gateBefore((server.address() as AddressInfo).port);
    const stream = await openStream(gate, '/s/api/x');
    await expect(stream.toArray()).rejects.toThrow();
    await vi.waitFor(() => expect(gate.of('call.failed')[0]?.data.code).toMatch(/^upstream_/));
  });

  test('closing lets calls end within the grace, then cuts the rest', async () => {
    const { gate } = await bench();
    const stream = await openStream(gate, '/s/api/stream');
    const ended = stream.toArray().then(
      () => 'complete',
      () => 'cut',
    );
    const closing = gate.gateway.close({ graceMs: 100 });
    await pause(20);
    expect(stream.destroyed).toBe(false);
    expect(await closing).toEqual({ callsCut: 1 });
    expect(await ended).toBe('cut');
    expect(gate.of('call.failed')[0]?.data.code).toBe('shutting_down');
  });
});

describe('slow senders', () => {
  test('a body that stops coming is given up with 408', async () => {
    const { gate, upstream } = await bench({ options: { requestTimeoutMs: 300 } });
    const head = `POST /s/api/x HTTP/1.1\r\nHost: 127.0.0.1:${gate.gateway.port}\r\nContent-Length: 10\r\n\r\nabc`;
    const answer = await sendRaw(gate.gateway.port, [head], { quietMs: 3_000 });
    expect(answer.status).toBe(408);
    expect(answer.closed).toBe(true);
    expect(upstream.seen.length).toBe(0);
  });

  test('a head that stops coming is given up with 408', async () => {
    const { gate } = await bench({ options: { requestTimeoutMs: 300 } });
    const answer = await sendRaw(gate.gateway.port, ['GET /s/api/x HTTP/1.1\r\nHos'], { quietMs: 3_000 });
    expect(answer.status).toBe(408);
  });

  test('an upstream that stays silent is given up with 504', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    opened.push({ close: () => silent.close() });
    const gate = await gateBefore((silent.address() as AddressInfo).port, {
      options: { upstreamTimeoutMs: 200 },
    });
    expect((await ask(gate, 'GET /s/api/x HTTP/1.1')).status).toBe(504);
    expect(gate.of('call.failed')[0]?.data.code).toBe('upstream_timeout');
  });
});

describe('limits', () => {
  test('too many fields, too long a target, too large a head', async () => {
    const { gate, upstream } = await bench();
    const fields = Array.from({ length: LIMITS.headerFields + 1 }, (_, at) => `\r\nX-${at}: y`).join('');
    expect((await ask(gate, `GET /s/api/x HTTP/1.1${fields}`)).status).toBe(431);
    expect((await ask(gate, `GET /s/api/${'a'.repeat(LIMITS.targetChars)} HTTP/1.1`)).status).toBe(431);
    expect((await ask(gate, `GET /s/api/x HTTP/1.1\r\nX: ${'a'.repeat(LIMITS.headBytes)}`)).status).toBe(431);
    expect(upstream.seen.length).toBe(0);
  });

  test('a body that must be read before deciding has a limit', async () => {
    const { gate, upstream } = await bench({
      services: [
        makeService({ origins: [{ scheme: 'http', host: 'api.example', port: 80 }], inspectBody: true }),
      ],
      options: { inspectBodyBytes: 1024 },
    });
    const body = 'x'.repeat(2048);
    const head = `POST /s/api/x HTTP/1.1\r\nHost: 127.0.0.1:${gate.gateway.port}\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n${body}\r\n0\r\n\r\n`;
    expect((await sendRaw(gate.gateway.port, [head], { quietMs: 2_000 })).status).toBe(413);
    expect(upstream.seen.length).toBe(0);
  });

  test('a sender that is refused in the middle of a large body still gets its answer', async () => {
    const { gate, upstream } = await bench({ decide: () => ({ effect: 'deny' }) });
    const own = `127.0.0.1:${gate.gateway.port}`;
    const head = `PUT /s/api/x HTTP/1.1\r\nHost: ${own}\r\nContent-Length: ${8 * 1024 * 1024}\r\n\r\n`;
    const answer = await sendRaw(gate.gateway.port, [head, Buffer.alloc(8 * 1024 * 1024, 'x')], {
      quietMs: 3_000,
    });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('policy_denied');
    expect(upstream.seen.length).toBe(0);
  });

  test('an answer beyond the limit is cut', async () => {
    const { gate } = await bench({ options: { maxResponseBytes: 1024 * 1024 } });
    const stream = await openStream(gate, `/s/api/large/${8 * 1024 * 1024}`);
    await expect(stream.toArray()).rejects.toThrow();
    await vi.waitFor(() => expect(gate.of('call.failed')[0]?.data.code).toBe('upstream_too_large'));
  });

  test('a throttled call says when to come back, a late detector denies', async () => {
    const slow = await bench({ inspect: () => ({ effect: 'hold', retryAfterMs: 2_000 }) });
    const throttled = await ask(slow.gate, 'GET /s/api/x HTTP/1.1');
    expect(throttled.status).toBe(429);
    expect(throttled.text.toLowerCase()).toContain('retry-after: 2');
    const late = await bench({ inspect: () => ({ effect: 'hold', late: true }) });
    expect((await ask(late.gate, 'GET /s/api/x HTTP/1.1')).status).toBe(503);
    expect(slow.upstream.seen.length + late.upstream.seen.length).toBe(0);
  });
});

describe('the order of the line', () => {
  test('nothing leaves when the call can not be recorded, and no credential is opened', async () => {
    const { upstream } = await bench();
    const gate = await gateBefore(upstream.port, {
      services: [
        makeService({ origins: [{ scheme: 'http', host: 'api.example', port: 80 }], credential: 'key' }),
      ],
      secrets: { key: 'fake-secret-1234567890' },
      options: {
        audit: {
          append: async () => {
            throw new Refusal('audit_unavailable');
          },
        } as never,
      },
    });
    const answer = await ask(gate, 'GET /s/api/x HTTP/1.1');
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('audit_unavailable');
    expect(gate.opened()).toBe(0);
    expect(upstream.seen.length).toBe(0);
  });

  test('what policy or detector deny opens no credential and reaches no upstream', async () => {
    for (const o of [
      { decide: () => ({ effect: 'deny' as const }) },
      { inspect: () => ({ effect: 'deny' as const }) },
    ]) {
      const { gate, upstream } = await bench(o);
      expect((await ask(gate, 'GET /s/api/x HTTP/1.1')).status).toBe(403);
      expect(gate.opened()).toBe(0);
      expect(upstream.seen.length).toBe(0);
      expect(gate.of('call.refused').length).toBe(1);
      expect(gate.of('call.permitted').length).toBe(0);
    }
  });

  test('a fault of ours is told to nobody but the log', async () => {
    const { gate } = await bench({
      decide: () => {
        throw new Error('a detail that stays inside');
      },
    });
    const answer = await ask(gate, 'GET /s/api/x HTTP/1.1');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('stays inside');
    expect(gate.of('call.refused')[0]?.data.internal).toContain('stays inside');
  });

  test('Expect: 100-continue is answered when the body is wanted, and not before a refusal', async () => {
    const { gate } = await bench();
    const own = `127.0.0.1:${gate.gateway.port}`;
    const head = `POST /s/api/x HTTP/1.1\r\nHost: ${own}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`;
    const socket = connect(gate.gateway.port, '127.0.0.1');
    socket.write(head);
    const first = await readRaw(socket, 2_000, (text) => text.includes('\r\n\r\n'), false);
    expect(first.status).toBe(100);
    socket.write('hi');
    expect((await readRaw(socket, 2_000, (text) => text.includes('\r\n\r\n'))).status).toBe(200);
    const refused = await sendRaw(gate.gateway.port, [head.replace('/s/api/', '/s/nowhere/')], {
      quietMs: 2_000,
    });
    expect(refused.status).toBe(404);
  });
});
