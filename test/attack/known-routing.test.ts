import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Decision } from '../../src/core/index.ts';
import type { PolicyGate } from '../../src/gateway/line.ts';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import {
  type FakeGate,
  makeService,
  openFakeGate,
  type RawAnswer,
  readRaw,
  sendRaw,
} from '../support/gate-fakes.ts';
import { lenientReadings } from '../support/lenient-readings.ts';

/**
 * Reports about gates that judged one request and sent another. In each test the agent may call `/public` and
 * must not reach `/secret`; the upstream reads paths and fields as leniently as any.
 */

let upstream: EchoUpstream;
let gate: FakeGate;
let host: string;

const decision = (effect: Decision['effect']): Decision => ({
  effect,
  policies: ['test'],
  reason: 'test',
  generation: 1,
});

beforeAll(async () => {
  upstream = await openEchoUpstream();
  const policy = {
    decide: (_passport: unknown, call: { path: string; method: string }) =>
      decision(call.path.startsWith('/secret') || call.method === 'DELETE' ? 'deny' : 'allow'),
  };
  const services = [
    makeService({ origins: [{ scheme: 'http', host: 'api.example', port: 80 }] }),
    makeService({
      name: 'opaque',
      origins: [{ scheme: 'http', host: 'opaque.example', port: 80 }],
      encodedSlash: 'opaque',
    }),
    makeService({ name: 'tls', origins: [{ scheme: 'https', host: 'tls.example', port: 443 }] }),
  ];
  gate = await openFakeGate({
    services,
    resolve: async () => ['127.0.0.1'],
    dial: () => connect(upstream.port, '127.0.0.1'),
    policy: policy as Partial<PolicyGate>,
  });
  host = `127.0.0.1:${gate.gateway.port}`;
});
afterAll(async () => {
  await gate?.close();
  upstream?.close();
});
beforeEach(() => {
  upstream.seen.length = 0;
});

/** One request as these lines; `<host>` is the gate. */
function send(...lines: readonly string[]): Promise<RawAnswer> {
  const head = [...lines, 'Connection: close'].join('\r\n').replaceAll('<host>', host);
  return sendRaw(gate.gateway.port, [`${head}\r\n\r\n`], { head: true });
}

const get = (target: string, ...fields: readonly string[]) =>
  send(`GET ${target} HTTP/1.1`, 'Host: <host>', ...fields);

/** Every path is refused, at services of both kinds, by the reverse door and as a proxy; nothing leaves. */
async function neverReachSecret(paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const answers = [
      await get(`/s/api${path}`),
      await get(`/s/opaque${path}`),
      await send(`GET http://api.example${path} HTTP/1.1`, 'Host: api.example'),
    ];
    for (const { status, text } of answers) {
      expect([400, 403], `${path}: ${text.slice(0, 200)}`).toContain(status);
      // A backslash makes an absolute target no URL at all.
      expect(text).toMatch(/path_not_canonical|policy_denied|authority_invalid/);
    }
  }
  expect(upstream.seen).toEqual([]);
}

it('the places of this file: /public passes, /secret does not, and the lenient reader sees through the tricks', async () => {
  expect((await get('/s/api/public/x')).status).toBe(200);
  expect(upstream.seen.at(-1)?.url).toBe('/public/x');
  expect((await get('/s/api/secret')).text).toContain('policy_denied');
  for (const trick of [
    '/public/..;x/secret',
    '/public/%252e%252e/secret',
    '/public%2f..%2fsecret',
    '/a\\..\\secret',
  ]) {
    expect(
      [...lenientReadings(trick)].some((reading) => reading.startsWith('/secret')),
      trick,
    ).toBe(true);
  }
});

describe('paths that two parsers read differently', () => {
  it('CVE-2019-9901 (Envoy): dot segments are resolved before a path is judged', () =>
    neverReachSecret([
      '/public/../secret',
      '/public/./../secret',
      '/public/a/../../secret',
      '//secret',
      '/./secret',
    ]));

  it('OpenShell #878: /public/../secret is not under /public, however its dots are written', () =>
    neverReachSecret([
      '/public/../secret',
      '/public/%2e%2e/secret',
      '/public/.%2E/secret',
      '/public/%2e./secret',
    ]));

  it('OpenShell #2699: a parameter on a dot segment hides no dot segment', () =>
    neverReachSecret([
      '/public/..;/secret',
      '/public/..;a=1/secret',
      '/public/%2e%2e;/secret',
      '/public/..%3B/secret',
    ]));

  it('OpenSandbox #1192: dots that are escaped twice or more are dots to somebody', () =>
    neverReachSecret([
      '/public/%252e%252e/secret',
      '/public/%25252e%25252e/secret',
      '/public/%252e%252e%252fsecret',
    ]));

  it('vm0 #15532: no path climbs out of the base that a service or a policy names', () =>
    neverReachSecret([
      '/api/v1/../../secret',
      '/api/v1/%2e%2e/%2e%2e/secret',
      '/public/../../secret',
      '/../secret',
    ]));

  it('kortix/suna #5710: an escaped slash is no way into the neighbour’s folder', () =>
    neverReachSecret([
      '/public%2F..%2Fsecret',
      '/public/..%2fsecret',
      '/public%2f%2e%2e%2fsecret',
      '/public/%2e%2e%5csecret',
    ]));

  it('Agent Vault: what a path glob matched is what is forwarded', async () => {
    await neverReachSecret(['/public/..%2Fsecret', '/public\\..\\secret', '/public/%c0%ae%c0%ae/secret']);
    await get('/s/opaque/@scope%2Fname/x');
    expect(upstream.seen.at(-1)?.url).toBe('/@scope%2Fname/x');
  });

  it('OneCLI: a path is normalised before it is judged, and goes out as it was judged', async () => {
    await neverReachSecret(['/public/x/../../secret/y']);
    await get('/s/api/public/x/../%7Ey/./z');
    expect(upstream.seen.at(-1)?.url).toBe('/public/~y/z');
  });
});

describe('fields that tell of another request', () => {
  it('CVE-2026-49468 GHSA-4xpc-pv4p-pm3w (LiteLLM): no Host field moves a request to another route', async () => {
    for (const value of [
      '<host>/s/api/public?',
      '<host>/#@evil.example',
      '<host>?x',
      '<host>@evil.example',
      'evil.example#<host>',
      '<host>\\@evil.example',
    ]) {
      const answer = await send('GET /s/api/secret HTTP/1.1', `Host: ${value}`);
      expect(answer.status, value).toBe(400);
    }
    for (const field of ['X-Forwarded-Host: <host>/s/api/public?', 'X-Original-Host: evil.example']) {
      expect((await get('/s/api/secret', field)).text).toContain('policy_denied');
    }
    expect(upstream.seen).toEqual([]);
  });

  it('CVE-2026-40575 (oauth2-proxy): X-Forwarded-Uri and its siblings decide nothing and go no further', async () => {
    const fields = [
      'X-Forwarded-Uri: /public',
      'X-Forwarded-Method: GET',
      'X-Forwarded-Prefix: /public',
      'X-Forwarded-For: 127.0.0.1',
      'X-Real-IP: 127.0.0.1',
      'Forwarded: for=127.0.0.1;host=public',
    ];
    expect((await get('/s/api/secret', ...fields)).text).toContain('policy_denied');
    expect((await get('/s/api/public', ...fields)).status).toBe(200);
    const names = Object.keys(upstream.seen.at(-1)?.headers ?? {});
    expect(names.filter((name) => /forwarded|real-ip/.test(name))).toEqual([]);
  });

  it('CVE-2026-40575 (oauth2-proxy): a field that gives another path or method than the request line is refused', async () => {
    for (const field of [
      'X-Original-URL: /secret',
      'X-Rewrite-URL: /secret',
      'X-Original-URI: /secret',
      'X-HTTP-Method-Override: DELETE',
      'X-HTTP-Method: DELETE',
      'X-Method-Override: DELETE',
      'X_HTTP_Method_Override: DELETE',
    ]) {
      const answer = await send('POST /s/api/public HTTP/1.1', 'Host: <host>', 'Content-Length: 0', field);
      expect(answer.text, field).toContain('request_ambiguous');
    }
    expect(upstream.seen).toEqual([]);
  });

  it('CVE-2025-64484 (oauth2-proxy): a name with underscores is not read as one with dashes', async () => {
    for (const name of [
      'X_Forwarded_User',
      'X-Forwarded_Email',
      'Proxy_Authorization',
      'Content_Length',
      'Sallyport_DPoP',
    ]) {
      expect((await get('/s/api/public', `${name}: admin`)).text, name).toContain('request_ambiguous');
    }
    expect(upstream.seen).toEqual([]);
  });

  it('CVE-2025-48865 (Fabio): a Connection field takes no field away that has a meaning', async () => {
    for (const name of [
      'X-Forwarded-Host',
      'Authorization',
      'Content-Length',
      'Sallyport-DPoP',
      'Host',
      'Cookie',
    ]) {
      const answer = await get('/s/api/public', `Connection: close, ${name}`, 'X-Kept: 1');
      expect(answer.text, name).toContain('request_ambiguous');
    }
    expect(upstream.seen).toEqual([]);
  });
});

describe('protocols that the gate does not speak', () => {
  it('docker/sbx-releases #574: a client of HTTP/2 alone gets a clear no, not a tunnel that hangs', async () => {
    const socket = connect(gate.gateway.port, '127.0.0.1');
    socket.write('CONNECT tls.example:443 HTTP/1.1\r\nHost: tls.example:443\r\n\r\n');
    expect((await readRaw(socket, 2_000, (text) => text.includes('\r\n\r\n'), false)).status).toBe(200);
    const ca = await gate.gateway.authority.export('default', 'test');
    const inside = connectTls({ socket, servername: 'tls.example', ca, ALPNProtocols: ['h2'] });
    const fault = await new Promise<Error | null>((resolve) => {
      inside.once('error', resolve).once('secureConnect', () => resolve(null));
    });
    expect(fault?.message).toMatch(/no application protocol/i);
    inside.destroy();
  });

  it('nono #982: gRPC over HTTP/2 is refused at its first bytes, and told why', async () => {
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    const answer = await sendRaw(gate.gateway.port, [preface]);
    expect(answer.text).toMatch(/^HTTP\/1\.1 (?:400|405|505) /);
    expect(answer.text).toContain('application/problem+json');
    const upgraded = await get('/s/api/public', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__');
    expect(upgraded.status).toBe(200);
    expect(upstream.seen.at(-1)?.headers.upgrade).toBeUndefined();
  });
});
