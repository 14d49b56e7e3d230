import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type InjectorSpec, Refusal } from '../../src/core/index.ts';
import { classifyAddress } from '../../src/gateway/egress/addresses.ts';
import { EgressGuard } from '../../src/gateway/egress/destination.ts';
import { parseService } from '../../src/gateway/index.ts';
import { type FakeGate, makeService, openFakeGate, type RawAnswer, sendRaw } from '../support/gate-fakes.ts';

/** Reports about real keys that went to a place that somebody else chose. */

const SECRET = `fake-key-${crypto.randomUUID()}`;
const PUBLIC = '93.184.216.34';
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

interface Scene {
  readonly gate: FakeGate;
  /** What reached the upstream, connection by connection. */
  readonly requests: string[];
  /** `address host` of every connection that was opened. */
  readonly dialled: string[];
  ask(head: string, body?: string): Promise<RawAnswer>;
}

/** A gate with one service and its key, before an upstream that gives these answers, one a request. */
async function scene(
  answers: readonly (string | null)[] = ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  o: {
    readonly resolve?: (host: string) => Promise<readonly string[]>;
    readonly injector?: InjectorSpec;
    readonly allowPrivate?: boolean;
  } = {},
): Promise<Scene> {
  const requests: string[] = [];
  const dialled: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const answer = answers[Math.min(requests.length, answers.length - 1)];
      requests.push(bytes.toString('latin1'));
      if (answer === null || answer === undefined) socket.destroy();
      else socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const gate = await openFakeGate({
    services: [
      makeService({
        origins: [{ scheme: 'http', host: 'api.example', port: 80 }],
        credential: 'key',
        allowPrivate: o.allowPrivate ?? false,
      }),
    ],
    secrets: { key: SECRET },
    resolve: o.resolve ?? (async () => [PUBLIC]),
    dial: ({ host }) => {
      dialled.push(host);
      return connect(port, '127.0.0.1');
    },
    ...(o.injector === undefined ? {} : { injector: o.injector }),
  });
  opened.push({
    close: async () => {
      await gate.close();
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  const ask = (head: string, body = '') => {
    const text = `${head}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    return sendRaw(gate.gateway.port, [text.replaceAll('<gate>', `127.0.0.1:${gate.gateway.port}`)], {
      quietMs: 500,
    });
  };
  return { gate, requests, dialled, ask };
}

const location = (where: string, status = 307) =>
  `HTTP/1.1 ${status} Moved\r\nLocation: ${where}\r\nContent-Length: 0\r\n\r\n`;

describe('a destination that the agent chooses', () => {
  it('CVE-2024-6587 (LiteLLM): no parameter, field or target of the agent moves the key to another host', async () => {
    const { ask, dialled, requests, gate } = await scene();
    const evil = 'http://evil.example/v1';
    const body = JSON.stringify({ model: 'm', api_base: evil, base_url: evil });
    for (const [target, host, field] of [
      ['/s/api/v1/chat', '<gate>', 'X-Api-Base: evil.example'],
      [`/s/api/v1/chat?api_base=${evil}&host=evil.example`, '<gate>', 'X-Upstream-Host: evil.example'],
      ['/s/api/@evil.example/v1', '<gate>', 'X-Forwarded-Host: evil.example'],
      ['/s/api//evil.example/v1', '<gate>', 'Via: 1.1 evil.example'],
    ] as const) {
      const answer = await ask(`POST ${target} HTTP/1.1\r\nHost: ${host}\r\n${field}`, body);
      expect(answer.status, target).toBe(200);
    }
    expect(new Set(dialled)).toEqual(new Set([PUBLIC]));
    expect(
      requests.every((text) => /^POST [^ ]+ HTTP\/1\.1\r\n[\s\S]*host: api\.example\r\n/i.test(text)),
    ).toBe(true);
    const before = gate.opened();
    for (const head of [
      'POST http://evil.example/v1 HTTP/1.1\r\nHost: evil.example',
      'POST /s/evil.example/v1 HTTP/1.1\r\nHost: <gate>',
      'POST http://api.example@evil.example/ HTTP/1.1\r\nHost: evil.example',
      'POST http://api.example:81/ HTTP/1.1\r\nHost: api.example:81',
      'POST https://api.example/ HTTP/1.1\r\nHost: api.example',
    ]) {
      expect((await ask(head, body)).status, head).toBeGreaterThanOrEqual(400);
    }
    expect(gate.opened()).toBe(before);
  });

  it('CVE-2025-66479 (sandbox-runtime): a list of allowed places that is empty allows none', async () => {
    const gate = await openFakeGate({ services: [], dial: () => expect.unreachable() });
    opened.push(gate);
    for (const head of [
      'GET http://example.com/ HTTP/1.1\r\nHost: example.com',
      'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443',
    ]) {
      const answer = await sendRaw(gate.gateway.port, [`${head}\r\n\r\n`], { head: true });
      expect(answer.text).toContain('service_unknown');
    }
    expect(() => parseService({ name: 'api', origins: [] })).toThrow(Refusal);
  });

  it('Claude Code sandbox (SOCKS host with NUL): a host is the same text to the check and to the look-up', async () => {
    const asked: string[] = [];
    const { ask, dialled } = await scene(undefined, {
      resolve: async (host) => {
        asked.push(host);
        return [PUBLIC];
      },
    });
    for (const host of [
      'evil.example\0.api.example',
      'api.example\0evil.example',
      'evil.example%00.api.example',
      'evil.example\t.api.example',
    ]) {
      for (const head of [
        `CONNECT ${host}:80 HTTP/1.1\r\nHost: ${host}:80`,
        `GET http://${host}/ HTTP/1.1\r\nHost: ${host}`,
      ]) {
        expect((await ask(head)).status, JSON.stringify(head)).toBe(400);
      }
    }
    expect([asked, dialled]).toEqual([[], []]);
  });
});

describe('a destination that the upstream chooses', () => {
  it('openclaw/crabbox #598: a redirect to another origin gets no header of ours, whatever its name', async () => {
    const injector: InjectorSpec = { kind: 'header', name: 'x-api-key', prefix: '' };
    for (const where of [
      'https://evil.example/',
      'http://api.example:8080/',
      '//evil.example/',
      'https://api.example/',
    ]) {
      const { ask, requests, dialled } = await scene([location(where)], { injector });
      const answer = await ask('POST /s/api/x HTTP/1.1\r\nHost: <gate>', '{}');
      expect(answer.status).toBe(307);
      expect(requests.length).toBe(1);
      expect(requests[0]?.toLowerCase()).toContain(`x-api-key: ${SECRET}`);
      expect(dialled).toEqual([PUBLIC]);
    }
  });

  it('openclaw/crabbox #521: a call that breaks off is not sent again, so no second answer can lead it away', async () => {
    const { ask, requests } = await scene([null, location('https://evil.example/')]);
    expect((await ask('GET /s/api/x HTTP/1.1\r\nHost: <gate>')).status).toBe(502);
    expect(requests.length).toBe(1);
  });

  it('openclaw/crabbox #1031: nothing in an answer names the place of the next request', async () => {
    const fault = '<fault>HOST_IS_SLAVE evil.example</fault>';
    const { ask, dialled, requests } = await scene([
      `HTTP/1.1 421 Misdirected Request\r\nAlt-Svc: h2="evil.example:443"\r\nRefresh: 0;url=http://evil.example/\r\nContent-Location: http://evil.example/\r\nContent-Length: ${fault.length}\r\n\r\n${fault}`,
    ]);
    for (let count = 0; count < 2; count++) {
      const answer = await ask('GET /s/api/x HTTP/1.1\r\nHost: <gate>');
      expect(answer.status).toBe(421);
      expect(answer.text.toLowerCase()).not.toContain('alt-svc');
    }
    expect(new Set(dialled)).toEqual(new Set([PUBLIC]));
    expect(
      requests.every(
        (text) => text.includes('host: api.example\r\n') || text.includes('Host: api.example\r\n'),
      ),
    ).toBe(true);
  });

  it('Agent Vault (401 retry): a key that was turned away is not put in a second time', async () => {
    const { ask, requests, gate } = await scene([
      'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n',
    ]);
    expect((await ask('GET /s/api/x HTTP/1.1\r\nHost: <gate>')).status).toBe(401);
    expect([requests.length, gate.opened()]).toEqual([1, 1]);
  });
});

describe('a name that turns inward', () => {
  const origin = { scheme: 'https', host: 'rebind.example', port: 443 } as const;

  it('GHSA-489g-7rxv-6c8q (mcp-atlassian): what was checked is what is connected to, also when the name changes meanwhile', async () => {
    let now = 0;
    const turns = [[PUBLIC], ['127.0.0.1'], ['169.254.169.254']];
    const guard = new EgressGuard({
      resolve: async () => turns.shift() ?? [],
      ownPorts: () => [],
      now: () => now,
    });
    expect((await guard.pin(origin, { allowPrivate: false })).addresses).toEqual([PUBLIC]);
    expect((await guard.pin(origin, { allowPrivate: false })).addresses).toEqual([PUBLIC]);
    now += 3_600_000;
    await expect(guard.pin(origin, { allowPrivate: false })).rejects.toMatchObject({
      code: 'destination_private',
    });
    now += 3_600_000;
    // Where private ranges are allowed, the address of cloud metadata is still none.
    await expect(guard.pin(origin, { allowPrivate: true })).rejects.toMatchObject({
      code: 'destination_private',
    });
  });

  it('orbflow #40 #46 #101 #104 #106 #108 #120 #124: neither a second look-up nor a redirect takes the key inward', async () => {
    const answers = [[PUBLIC], ['10.0.0.5']];
    let asked = 0;
    const resolve = async () => answers[Math.min(asked++, 1)] ?? [];
    const { ask, dialled, requests } = await scene([location('http://169.254.169.254/latest/', 302)], {
      resolve,
    });
    for (let count = 0; count < 3; count++) {
      const answer = await ask('GET /s/api/x HTTP/1.1\r\nHost: <gate>');
      expect([302, 403]).toContain(answer.status);
    }
    expect(dialled.filter((address) => address !== PUBLIC)).toEqual([]);
    expect(requests.every((text) => !text.includes('169.254'))).toBe(true);
    const inward = await scene(undefined, { resolve: async () => ['10.0.0.5'] });
    expect((await inward.ask('GET /s/api/x HTTP/1.1\r\nHost: <gate>')).text).toContain('destination_private');
    expect([inward.dialled, inward.gate.opened()]).toEqual([[], 0]);
  });

  it('CVE-2026-47390: addresses are judged by what they are, not by how they are written', async () => {
    for (const host of [
      '2130706433',
      '0x7f.1',
      '0177.0.0.1',
      '127.1',
      '[::ffff:7f00:1]',
      '[::1]',
      'localhost',
      'LOCALHOST.',
      '127.0.0.1.',
      '①②⑦.⓪.⓪.①',
      '[64:ff9b::7f00:1]',
      'x.localhost',
    ]) {
      expect(() => parseService({ name: 'x', origins: [`http://${host}`] }), host).toThrow(Refusal);
    }
    for (const address of ['127.0.0.1', '::ffff:10.0.0.1', '::1', 'fd00::1']) {
      const guard = new EgressGuard({ resolve: async () => [address], ownPorts: () => [], now: () => 0 });
      await expect(guard.pin(origin, { allowPrivate: false })).rejects.toMatchObject({
        code: 'destination_private',
      });
    }
  });

  it('OneCLI: a service that is not marked as private is never reached at a private address', async () => {
    const { ask, dialled } = await scene(undefined, { resolve: async () => ['192.168.1.10'] });
    expect((await ask('GET /s/api/x HTTP/1.1\r\nHost: <gate>')).status).toBe(403);
    expect(dialled).toEqual([]);
  });

  it('Agent Vault (netguard): ranges that are no public hosts are none, the ones that are commonly forgotten too', () => {
    const forgotten = [
      '::',
      '::7f00:1',
      '198.18.0.1',
      '198.19.255.255',
      '192.0.0.1',
      '240.0.0.1',
      '255.255.255.255',
      '224.0.0.1',
      '64:ff9b::a00:1',
      '64:ff9b:1::1',
      '2002:7f00:1::',
      '0.0.0.1',
      '0.255.255.255',
      '168.63.129.16',
      '100.64.0.1',
      'ff02::1',
      '2001:db8::1',
      '2001::1',
    ];
    expect(forgotten.filter((address) => classifyAddress(address) === 'public')).toEqual([]);
    expect(classifyAddress(PUBLIC)).toBe('public');
  });
});
