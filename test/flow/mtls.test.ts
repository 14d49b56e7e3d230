import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeClientCertificate, makeTestAuthority } from '../support/certificates.ts';
import {
  mustSallyport,
  newHome,
  removeHome,
  type ServiceProcess,
  sallyport,
  startServiceProcess,
} from '../support/service-process.ts';
import { makeProof, newKey } from '../unit/passport/support.ts';

type Pair = { readonly cert: string; readonly key: string };

const settings = {
  SALLYPORT_CONTROL_TLS_CERTIFICATE_FILE: 'tls.pem',
  SALLYPORT_CONTROL_TLS_KEY_FILE: 'tls.key',
  SALLYPORT_GATEWAY_TLS_CERTIFICATE_FILE: 'tls.pem',
  SALLYPORT_GATEWAY_TLS_KEY_FILE: 'tls.key',
  SALLYPORT_TLS_CLIENT_CERTIFICATES: 'true',
};
let home: string;
let ca: string;
let service: ServiceProcess;
let upstream: Server;
let own: Pair;
let other: Pair;
let id: string;

beforeAll(async () => {
  const authority = await makeTestAuthority();
  ca = authority.certificatePem;
  home = await newHome();
  const listener = await authority.issue('127.0.0.1', 'localhost');
  await writeFile(join(home, 'ca.pem'), ca);
  await writeFile(join(home, 'tls.key'), listener.key, { mode: 0o600 });
  await writeFile(join(home, 'tls.pem'), listener.cert);
  upstream = createServer((_request, response) => response.end('reached'));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  service = await startServiceProcess(home, settings);
  const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  await cli('service', 'add', 'echo', '--origin', origin, '--allow-private');
  own = await makeClientCertificate('own');
  other = await makeClientCertificate('other');
  await writeFile(join(home, 'edge.pem'), own.cert);
  const made = await cli(
    'agent',
    'add',
    'edge',
    '--scope',
    'echo:read',
    '--certificate',
    'edge.pem',
    '--json',
  );
  id = JSON.parse(made).agent.id;
}, 60_000);
afterAll(async () => {
  await service?.end('SIGKILL');
  upstream?.closeAllConnections();
  upstream?.close();
  await removeHome(home);
});

const env = { ...settings, SALLYPORT_TLS_CA_FILE: 'ca.pem' };
const cli = (...args: string[]) => mustSallyport(service, args, { env });

async function register(name: string, pair: Pair): Promise<string> {
  const json = { name, owner: 'team', scopes: ['echo:read'], certificates: [pair.cert] };
  const { body } = await ask(`${service.controlUrl}/admin/v1/agents`, {
    pair: null,
    json,
    headers: await asAdmin(),
  });
  return String((body.agent as { id: string }).id);
}

async function asAdmin(): Promise<Record<string, string>> {
  return { authorization: `Bearer ${(await readFile(join(home, 'keys/admin-token'), 'utf8')).trim()}` };
}

/** One request over a connection of its own, with this client certificate. */
async function ask(
  url: string,
  o: {
    readonly pair?: Pair | null;
    readonly form?: Record<string, string>;
    readonly json?: unknown;
    readonly headers?: Record<string, string>;
  },
): Promise<{ status: number; body: Record<string, unknown>; text: string }> {
  const { pair = own, form, json, headers = {} } = o;
  const sent = json === undefined ? form && new URLSearchParams(form).toString() : JSON.stringify(json);
  const media = json === undefined ? 'application/x-www-form-urlencoded' : 'application/json';
  const type = sent === undefined ? {} : { 'content-type': media };
  const method = sent === undefined ? 'GET' : 'POST';
  const request = httpsRequest(url, { method, ca, agent: false, ...pair, headers: { ...type, ...headers } });
  request.end(sent);
  const [answer] = await once(request, 'response');
  let text = '';
  for await (const chunk of answer) text += chunk;
  return { status: answer.statusCode, text, body: text.startsWith('{') ? JSON.parse(text) : {} };
}

const token = (o: { pair?: Pair | null; clientId?: string; headers?: Record<string, string> } = {}) =>
  ask(`${service.controlUrl}/token`, {
    form: { grant_type: 'client_credentials', client_id: o.clientId ?? id },
    ...(o.pair === undefined ? {} : { pair: o.pair }),
    ...(o.headers === undefined ? {} : { headers: o.headers }),
  });

async function passport(): Promise<string> {
  const { status, body } = await token();
  if (status !== 200) throw new Error(JSON.stringify(body));
  return String(body.access_token);
}

const call = (text: string, o: { pair?: Pair | null; headers?: Record<string, string> } = {}) =>
  ask(`${service.gatewayUrl}/s/echo/`, {
    ...(o.pair === undefined ? {} : { pair: o.pair }),
    headers: { authorization: `Bearer ${text}`, ...o.headers },
  });

const thumbprint = ({ cert }: Pair) =>
  Buffer.from(new X509Certificate(cert).fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');

describe('mutual TLS (RFC 8705)', () => {
  test('an agent gets a passport with its certificate, bound to it, and calls with both', async () => {
    const { status, body } = await token();
    expect([status, body.token_type]).toEqual([200, 'Bearer']);
    const claims = decodeJwt(String(body.access_token));
    expect(claims).toMatchObject({ client_id: id, cnf: { 'x5t#S256': thumbprint(own) } });
    const answer = await call(String(body.access_token));
    expect([answer.status, answer.text]).toEqual([200, 'reached']);
  });

  test('opens a tunnel with it, too', async () => {
    const text = await passport();
    const target = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    const open = async (pair: Pair) => {
      const { port, hostname } = new URL(service.gatewayUrl);
      const socket = connect({ host: hostname, port: Number(port), ca, ...pair });
      await once(socket, 'secureConnect');
      socket.write(
        `CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\nproxy-authorization: Bearer ${text}\r\n\r\n`,
      );
      const [first] = await once(socket, 'data');
      socket.destroy();
      return String(first).split('\r\n')[0];
    };
    expect(await open(own)).toBe('HTTP/1.1 200 Connection Established');
    expect(await open(other)).toMatch(/^HTTP\/1\.1 407 /);
  });

  test('a stolen passport is worth nothing on a connection without that certificate', async () => {
    const text = await passport();
    for (const pair of [null, other]) {
      const answer = await call(text, { pair });
      expect([answer.status, answer.body.code]).toEqual([401, 'passport_invalid']);
    }
  });

  test('a certificate that only stands in a header is none', async () => {
    const text = await passport();
    const inHeaders = {
      'x-forwarded-client-cert': `Hash=${new X509Certificate(own.cert).fingerprint256.replaceAll(':', '')}`,
      'x-ssl-client-cert': encodeURIComponent(own.cert),
      'client-cert': `:${new X509Certificate(own.cert).raw.toString('base64')}:`,
    };
    expect((await call(text, { pair: null, headers: inHeaders })).status).toBe(401);
    expect((await token({ pair: null, headers: inHeaders })).body.error).toBe('invalid_client');
  });

  test('a bound passport with a DPoP proof in place of its certificate is refused', async () => {
    const text = await passport();
    const htu = `${service.gatewayUrl}/s/echo/`;
    const proof = await makeProof(await newKey(), { htm: 'GET', htu, accessToken: text });
    const answer = await call(text, { headers: { authorization: `DPoP ${text}`, dpop: proof } });
    expect([answer.status, answer.body.code]).toEqual([401, 'passport_invalid']);
  });

  test('a DPoP proof at the token endpoint binds the passport to that key', async () => {
    const key = await newKey();
    const proof = await makeProof(key, { htm: 'POST', htu: `${service.controlUrl}/token` });
    const { body } = await token({ headers: { dpop: proof } });
    expect(body.token_type).toBe('DPoP');
    expect(decodeJwt(String(body.access_token)).cnf).toEqual({ jkt: key.thumbprint });
  });

  test('without it, with one that nobody registered, or with that of another agent, nothing is issued', async () => {
    const eve = await register('eve', other);
    for (const asked of [{ pair: null }, { pair: other }, { clientId: eve }, { clientId: 'agent_nobody' }]) {
      const { status, body } = await token(asked);
      expect([status, body.error]).toEqual([401, 'invalid_client']);
      expect(body).not.toHaveProperty('access_token');
    }
  });

  test('one that has expired, or is not valid yet, is none', async () => {
    for (const [name, days] of [
      ['old', [-3, -1]],
      ['early', [1, 3]],
    ] as const) {
      const pair = await makeClientCertificate(name, days);
      const clientId = await register(name, pair);
      expect((await token({ pair, clientId })).body.error).toBe('invalid_client');
    }
  });

  test('revoking the certificate ends its passports and gives no new ones', async () => {
    const pair = await makeClientCertificate('leaving');
    const clientId = await register('leaving', pair);
    const { body } = await token({ pair, clientId });
    const text = String(body.access_token);
    expect((await call(text, { pair })).status).toBe(200);
    const revoked = await ask(`${service.controlUrl}/admin/v1/revocations`, {
      pair: null,
      json: { kind: 'credential', value: `${clientId}/${thumbprint(pair)}` },
      headers: await asAdmin(),
    });
    expect(revoked.status).toBe(201);
    expect((await call(text, { pair })).status).toBe(401);
    expect((await token({ pair, clientId })).body.error).toBe('invalid_client');
  });

  test('a private key is not registered as a certificate', async () => {
    const file = join(home, 'both.pem');
    await writeFile(file, `${own.cert}${own.key}`);
    const told = await sallyport(service, ['agent', 'add', 'both', '--certificate', file], { env });
    expect([told.code === 0, told.stderr.includes('private key')]).toEqual([false, true]);
  });

  test('the metadata of issuer and gateway say so', async () => {
    const issuer = await ask(`${service.controlUrl}/.well-known/oauth-authorization-server`, { pair: null });
    expect(issuer.body.token_endpoint_auth_methods_supported).toContain('self_signed_tls_client_auth');
    expect(issuer.body.tls_client_certificate_bound_access_tokens).toBe(true);
    expect(issuer.body.revocation_endpoint_auth_methods_supported).not.toContain(
      'self_signed_tls_client_auth',
    );
    const gateway = await ask(`${service.gatewayUrl}/.well-known/oauth-protected-resource`, { pair: null });
    expect(gateway.body.tls_client_certificate_bound_access_tokens).toBe(true);
  });
});
