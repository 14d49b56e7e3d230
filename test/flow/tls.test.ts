import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, request as httpRequest, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTestAuthority, type TestAuthority } from '../support/certificates.ts';
import {
  mustSallyport,
  newHome,
  removeHome,
  type ServiceProcess,
  sallyport,
  startServiceProcess,
} from '../support/service-process.ts';

let authority: TestAuthority;
let home: string;
let service: ServiceProcess;
let upstream: Server;
let origin: string;
const settings = {
  SALLYPORT_CONTROL_TLS_CERTIFICATE_FILE: 'tls.pem',
  SALLYPORT_CONTROL_TLS_KEY_FILE: 'tls.key',
  SALLYPORT_GATEWAY_TLS_CERTIFICATE_FILE: 'tls.pem',
  SALLYPORT_GATEWAY_TLS_KEY_FILE: 'tls.key',
};
const secret = `fake-${'z'.repeat(24)}`;

beforeAll(async () => {
  authority = await makeTestAuthority();
  home = await newHome();
  await writeFile(join(home, 'ca.pem'), authority.certificatePem);
  upstream = createHttpsServer(await authority.issue('localhost'), (request, response) => {
    response.end(JSON.stringify({ authorized: request.headers.authorization !== undefined }));
  }) as Server;
  origin = `https://localhost:${await listen(upstream)}`;
  await placePair('127.0.0.1', 'localhost');
  service = await startServiceProcess(home, settings);
});
afterAll(async () => {
  await service?.end('SIGKILL');
  upstream?.closeAllConnections();
  upstream?.close();
  await removeHome(home);
});

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Another certificate of the same authority, in place of the one before. */
async function placePair(...hosts: string[]): Promise<void> {
  const { cert, key } = await authority.issue(...hosts);
  await writeFile(join(home, 'tls.key'), key, { mode: 0o600 });
  await writeFile(join(home, 'tls.pem'), cert);
}

const env = { ...settings, SALLYPORT_TLS_CA_FILE: 'ca.pem' };
const cli = (...args: string[]) => mustSallyport(service, args, { env });

/** The fingerprint of what a listener shows, and the version that was agreed on. */
async function shown(url: string, maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3') {
  const socket = connect({
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    ca: authority.certificatePem,
    maxVersion,
    ...(maxVersion === 'TLSv1.1' ? { minVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } : {}),
  });
  try {
    await once(socket, 'secureConnect');
    return { fingerprint: socket.getPeerCertificate().fingerprint256, version: socket.getProtocol() };
  } finally {
    socket.destroy();
  }
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 20_000;
  while (!(await check())) {
    if (Date.now() > until) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe('listeners with TLS', () => {
  it('serve the CLI, calls and tunnels to clients that trust the authority', async () => {
    expect(service.controlUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(service.gatewayUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    await cli(
      ...['service', 'add', 'echo', '--origin', origin, '--credential', 'echo-key', '--allow-private'],
      ...['--ca', join(home, 'ca.pem')],
    );
    await mustSallyport(service, ['credential', 'put', 'echo-key', '--service', 'echo', '--kind', 'bearer'], {
      input: secret,
      env,
    });
    await cli('agent', 'add', 'bob', '--owner', 'team', '--scope', 'echo:read');
    const answer = JSON.stringify({ authorized: true });
    expect(await cli('call', '--agent', 'bob', '/s/echo/')).toBe(answer);
    expect(await cli('call', '--agent', 'bob', `${origin}/x`)).toBe(answer);
    await cli('agent', 'add', 'eve', '--owner', 'team', '--scope', 'echo:read');
    expect(await cli('passport', 'delegate', '--agent', 'bob', '--to', 'eve')).toContain('"subjectToken"');
    const script = `import('node:https').then(({ get }) => get('${origin}/', (r) => r.pipe(process.stdout)))`;
    expect(await cli('run', '--agent', 'bob', '--', process.execPath, '-e', script)).toBe(answer);
  });

  it('are believed by no client that does not trust the authority', async () => {
    const told = await sallyport(service, ['agent', 'list'], { env: settings });
    expect(told.code).not.toBe(0);
    expect(told.stderr).toMatch(/can not be reached/);
    const named = await sallyport(service, ['agent', 'list', '--ca-file', join(home, 'ca.pem')], {
      env: settings,
    });
    expect(named.code).toBe(0);
    const wrong = await sallyport(service, ['agent', 'list', '--ca-file', join(home, 'tls.key')], {
      env: settings,
    });
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain('--ca-file');
  });

  it('speak TLS 1.3, 1.2 where the client knows no other, and nothing older', async () => {
    for (const url of [service.controlUrl, service.gatewayUrl]) {
      expect((await shown(url)).version).toBe('TLSv1.3');
      expect((await shown(url, 'TLSv1.2')).version).toBe('TLSv1.2');
      await expect(shown(url, 'TLSv1.1')).rejects.toThrow();
    }
  });

  it('give nothing away to plain HTTP', async () => {
    for (const url of [service.controlUrl, service.gatewayUrl]) {
      await expect(fetch(`${url.replace('https', 'http')}/healthz`)).rejects.toThrow();
    }
  });

  it('show a new certificate without a restart, and keep the old one when the new is broken', async () => {
    const before = await shown(service.gatewayUrl);
    await placePair('127.0.0.1');
    await eventually(async () => (await shown(service.gatewayUrl)).fingerprint !== before.fingerprint);
    await eventually(async () => (await shown(service.controlUrl)).fingerprint !== before.fingerprint);
    const renewed = await shown(service.gatewayUrl);

    // A certificate without its key: half of a pair.
    await writeFile(join(home, 'tls.pem'), (await authority.issue('127.0.0.1')).cert);
    service.signal('SIGHUP');
    await eventually(async () => (await cli('audit', 'tail')).includes('tls.rejected'));
    expect((await shown(service.gatewayUrl)).fingerprint).toBe(renewed.fingerprint);
    expect((await shown(service.controlUrl)).fingerprint).toBe(renewed.fingerprint);
    expect(await cli('call', '--agent', 'bob', '/s/echo/')).toContain('true');

    await placePair('127.0.0.1');
    service.signal('SIGHUP');
    await eventually(async () => (await shown(service.gatewayUrl)).fingerprint !== renewed.fingerprint);
  });
});

describe('behind a reverse proxy that ends TLS', () => {
  const proxies: Server[] = [];
  let behind: ServiceProcess;
  let place: string;
  afterAll(async () => {
    await behind?.end('SIGKILL');
    for (const proxy of proxies) proxy.closeAllConnections();
    for (const proxy of proxies) proxy.close();
    if (place !== undefined) await removeHome(place);
  });

  /** Passes requests on under another Host, with fields that claim another place, as careless proxies do. */
  async function openProxy(target: () => string): Promise<string> {
    const proxy = createHttpsServer(await authority.issue('127.0.0.1'), (request, response) => {
      const { port } = new URL(target());
      const outgoing = httpRequest({
        host: '127.0.0.1',
        port,
        method: request.method,
        path: request.url,
        headers: {
          ...request.headers,
          host: `127.0.0.1:${port}`,
          'x-forwarded-host': 'attacker.test',
          'x-forwarded-proto': 'http',
        },
      });
      outgoing.on('response', (incoming) => {
        response.writeHead(incoming.statusCode ?? 0, incoming.rawHeaders);
        incoming.pipe(response);
      });
      request.pipe(outgoing);
    }) as Server;
    proxies.push(proxy);
    return `https://127.0.0.1:${await listen(proxy)}`;
  }

  it('issuer, audience and proofs follow the public URLs, whatever the proxy says', async () => {
    place = await newHome();
    const ports = await Promise.all([freePort(), freePort()]);
    const control = await openProxy(() => `http://127.0.0.1:${ports[0]}`);
    const gateway = await openProxy(() => `http://127.0.0.1:${ports[1]}`);
    const urls = { SALLYPORT_CONTROL_PUBLIC_URL: control, SALLYPORT_GATEWAY_PUBLIC_URL: gateway };
    behind = await startServiceProcess(place, {
      ...urls,
      SALLYPORT_CONTROL_PORT: String(ports[0]),
      SALLYPORT_GATEWAY_PORT: String(ports[1]),
    });
    expect([behind.controlUrl, behind.gatewayUrl]).toEqual([control, gateway]);
    const more = { env: { ...urls, SALLYPORT_TLS_CA_FILE: join(home, 'ca.pem') } };
    await mustSallyport(
      behind,
      ['service', 'add', 'echo', '--origin', origin, '--allow-private', '--ca', join(home, 'ca.pem')],
      more,
    );
    await mustSallyport(behind, ['agent', 'add', 'bob', '--owner', 'team', '--scope', 'echo:read'], more);
    const answer = await mustSallyport(behind, ['call', '--agent', 'bob', '/s/echo/'], more);
    expect(answer).toBe(JSON.stringify({ authorized: false }));
    const plain = await fetch(`http://127.0.0.1:${ports[0]}/.well-known/oauth-authorization-server`);
    const metadata = await plain.json();
    expect(metadata).toMatchObject({ issuer: control, token_endpoint: `${control}/token` });
    expect(await readFile(join(place, 'keys/admin-token'), 'utf8')).toMatch(/^sp_admin_/);
  });
});

async function freePort(): Promise<number> {
  const server = createHttpServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}
