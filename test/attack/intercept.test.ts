import { X509Certificate } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CertificateAuthority, makeLeafKey } from '../../src/gateway/ca/certificate-authority.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { type FakeGate, makeService, openFakeGate, readRaw } from '../support/gate-fakes.ts';

let upstream: EchoUpstream;
let gate: FakeGate;
let ca: string;

beforeAll(async () => {
  const authority = await makeTestAuthority();
  upstream = await openEchoUpstream(await authority.issue('api.example'));
  const upstreamCa = authority.certificatePem;
  gate = await openFakeGate({
    services: [
      makeService({ origins: [{ scheme: 'https', host: 'api.example', port: 443 }], upstreamCa }),
      makeService({
        name: 'other',
        origins: [{ scheme: 'https', host: 'other.example', port: 443 }],
        upstreamCa,
      }),
    ],
    resolve: async () => ['127.0.0.1'],
    dial: () => connect(upstream.port, '127.0.0.1'),
  });
  ca = await gate.gateway.authority.export('default', 'admin');
});

afterAll(async () => {
  await gate.close();
  upstream.close();
});

async function tunnel(
  authority: string,
  host = authority,
): Promise<{ readonly head: string; readonly socket: Socket }> {
  const socket = connect(gate.gateway.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const { text } = await readRaw(socket, 2_000, (got) => got.includes('\r\n\r\n'), false);
  return { head: text, socket };
}

function startTls(socket: Socket, servername: string | undefined): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const inside = connectTls({
      socket,
      ca,
      ...(servername === undefined ? {} : { servername }),
      ...(servername === undefined ? { checkServerIdentity: () => undefined } : {}),
    });
    inside.once('secureConnect', () => resolve(inside)).once('error', reject);
    inside.once('close', () => reject(new Error('closed')));
  });
}

async function askInside(inside: Socket, head: string): Promise<string> {
  inside.on('error', () => undefined);
  inside.write(head);
  const { text } = await readRaw(inside, 2_000, (got) => got.includes('\r\n\r\n'), false);
  return text;
}

describe('tunnels', () => {
  test('authority, server name and Host that agree reach the service', async () => {
    const { socket } = await tunnel('api.example:443');
    const inside = await startTls(socket, 'api.example');
    expect(await askInside(inside, 'GET /in HTTP/1.1\r\nHost: api.example\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    expect(upstream.seen.at(-1)?.url).toBe('/in');
    inside.destroy();
  });

  test('another server name ends the handshake', async () => {
    const { socket } = await tunnel('api.example:443');
    await expect(startTls(socket, 'other.example')).rejects.toThrow();
    expect(gate.of('call.refused').at(-1)?.data.code).toMatch(
      /authority_mismatch|request_malformed|client_gone/,
    );
  });

  test('no server name is not enough', async () => {
    const { socket } = await tunnel('api.example:443');
    const seen = upstream.seen.length;
    const answer = await startTls(socket, undefined).then(
      (inside) => askInside(inside, 'GET /x HTTP/1.1\r\nHost: api.example\r\n\r\n'),
      () => '',
    );
    expect(answer).toBe('');
    expect(upstream.seen.length).toBe(seen);
  });

  test.each([
    ['the Host of another service', 'GET /x HTTP/1.1\r\nHost: other.example\r\n\r\n'],
    ['an absolute target elsewhere', 'GET https://other.example/x HTTP/1.1\r\nHost: api.example\r\n\r\n'],
    [
      'an absolute target under another scheme',
      'GET http://api.example/x HTTP/1.1\r\nHost: api.example\r\n\r\n',
    ],
    ['another port', 'GET /x HTTP/1.1\r\nHost: api.example:8443\r\n\r\n'],
  ])('%s inside is refused', async (_name, head) => {
    const { socket } = await tunnel('api.example:443');
    const seen = upstream.seen.length;
    const inside = await startTls(socket, 'api.example');
    expect(await askInside(inside, head)).toMatch(/^HTTP\/1\.1 (?:421|400) /);
    expect(upstream.seen.length).toBe(seen);
    inside.destroy();
  });

  test('a tunnel inside a tunnel gets nothing', async () => {
    const { socket } = await tunnel('api.example:443');
    const inside = await startTls(socket, 'api.example');
    expect(
      await askInside(inside, 'CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n'),
    ).toBe('');
  });

  test.each(['unknown.example:443', '1.1.1.1:443', '[::1]:443', 'api.example:22', 'api.example'])(
    'CONNECT %s is refused before TLS',
    async (authority) => {
      const { head } = await tunnel(authority);
      expect(head).toMatch(/^HTTP\/1\.1 (?:400|403|404) /);
    },
  );

  test('a CONNECT whose Host names another place is refused', async () => {
    const { head } = await tunnel('api.example:443', 'other.example:443');
    expect(head).toMatch(/^HTTP\/1\.1 421 /);
  });

  test('a revoked passport takes its open tunnels with it', async () => {
    const own = await openFakeGate({
      services: [makeService({ origins: [{ scheme: 'https', host: 'api.example', port: 443 }] })],
    });
    const socket = connect(own.gateway.port, '127.0.0.1');
    socket.write('CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\r\n');
    await readRaw(socket, 2_000, (got) => got.includes('\r\n\r\n'), false);
    own.revoke();
    expect((await readRaw(socket, 1_000)).closed).toBe(true);
    await own.close();
  });
});

describe('certificate authorities', () => {
  const now = Date.now();

  test('are constrained to their hosts: a leaf for another one convinces no client', async () => {
    const { authority } = await CertificateAuthority.make({
      name: 'test',
      hosts: ['api.example'],
      lifetimeMs: 3_600_000,
      now,
    });
    await expect(authority.issueLeaf('evil.example', await makeLeafKey(), now)).rejects.toThrow(TypeError);
    const text = new X509Certificate(authority.certificatePem).toString();
    expect(new X509Certificate(authority.certificatePem).ca).toBe(true);
    expect(text).toContain('BEGIN CERTIFICATE');
  });

  test('a client enforces the constraint, even if the gate were to sign something else', async () => {
    const key = await makeLeafKey();
    const { authority } = await CertificateAuthority.make({
      name: 'test',
      hosts: ['api.example'],
      lifetimeMs: 3_600_000,
      now,
    });
    // What a thief of the authority's key would do.
    Reflect.set(authority, 'hosts', new Set(['api.example', 'bank.example', '127.0.0.1']));
    for (const [host, good] of [
      ['api.example', true],
      ['bank.example', false],
      ['127.0.0.1', false],
    ] as const) {
      const leaf = await authority.issueLeaf(host, key, now);
      expect(`${host} ${await handshakeWorks(leaf.chainPem, key.pem, authority.certificatePem, host)}`).toBe(
        `${host} ${good}`,
      );
    }
  });

  test('the longer-lived one follows the services, and its key is stored sealed', async () => {
    const before = await gate.gateway.authority.status();
    expect(before.hosts).toEqual(['api.example', 'other.example']);
    await gate.gateway.services.put({ name: 'third', origins: ['https://third.example'] }, 'admin');
    const after = await gate.gateway.authority.status();
    expect(after.hosts).toEqual(['api.example', 'other.example', 'third.example']);
    expect(gate.of('ca.issued').length).toBeGreaterThan(1);
    expect(gate.of('ca.exported').length).toBe(1);
  });
});

async function handshakeWorks(cert: string, key: string, trusted: string, host: string): Promise<boolean> {
  const { createServer, connect: connectTo } = await import('node:tls');
  const server = createServer({ cert, key });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const name = /^[\d.]+$/.test(host) ? {} : { servername: host };
  const works = await new Promise<boolean>((resolve) => {
    const socket = connectTo({ host: '127.0.0.1', port, ca: trusted, ...name });
    socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => server.close());
    socket.on('secureConnect', () => socket.destroy());
  });
  return works;
}
