import { chmod, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  admin,
  mustSallyport,
  newHome,
  removeHome,
  type ServiceProcess,
  sallyport,
  startServiceProcess,
} from '../support/service-process.ts';

let home: string;
let service: ServiceProcess | null;
let upstream: Server;
let upstreamUrl: string;
beforeEach(async () => {
  home = await newHome();
  service = null;
  upstream = createServer((request, response) => {
    if (request.url === '/slow') response.write('begun');
    else response.end(JSON.stringify({ authorization: request.headers.authorization ?? null }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await service?.end('SIGKILL');
  upstream.closeAllConnections();
  upstream.close();
  await removeHome(home);
});

async function start(settings: Record<string, string> = {}): Promise<ServiceProcess> {
  service = await startServiceProcess(home, settings);
  return service;
}

async function furnish(running: ServiceProcess): Promise<void> {
  const fakeSecret = `fake-${'x'.repeat(24)}`;
  await mustSallyport(running, [
    'service',
    'add',
    'echo',
    '--origin',
    upstreamUrl,
    '--credential',
    'echo-key',
    '--allow-private',
  ]);
  await mustSallyport(running, ['credential', 'put', 'echo-key', '--service', 'echo', '--kind', 'bearer'], {
    input: fakeSecret,
  });
  await mustSallyport(running, ['agent', 'add', 'bob', '--owner', 'team', '--scope', 'echo:read']);
}

describe('the service', () => {
  it('says at its first start where everything is and what to do, and keeps private files private', async () => {
    const running = await start();
    expect(running.output()).toContain(running.controlUrl);
    expect(running.output()).toMatch(/service add[\s\S]*credential put[\s\S]*agent add[\s\S]*run --agent/);
    const token = (await readFile(join(home, 'keys/admin-token'), 'utf8')).trim();
    expect(running.output()).not.toContain(token);
    for (const file of ['keys/admin-token', 'keys/root.key', 'data/sallyport.db']) {
      expect((await stat(join(home, file))).mode & 0o077, file).toBe(0);
    }
    expect(await running.end('SIGINT')).toBe(0);
    expect(running.output()).toMatch(/Stopped\./);
  });

  it('finds agents, credentials and revocations again at the second start', async () => {
    const first = await start();
    await furnish(first);
    expect(await mustSallyport(first, ['call', '--agent', 'bob', '/s/echo/'])).toContain('Bearer ');
    await mustSallyport(first, ['agent', 'add', 'eve', '--owner', 'team', '--scope', 'echo:read']);
    await mustSallyport(first, ['passport', 'revoke', '--agent', 'eve']);
    expect(await first.end('SIGTERM')).toBe(0);

    const second = await start();
    expect(second.output()).not.toContain('First steps');
    expect(await mustSallyport(second, ['call', '--agent', 'bob', '/s/echo/'])).toContain('Bearer ');
    expect((await sallyport(second, ['call', '--agent', 'eve', '/s/echo/'])).code).not.toBe(0);
    const { json } = await admin(second, 'GET', '/credentials');
    expect(json.items).toEqual([expect.objectContaining({ name: 'echo-key', status: 'active' })]);
    expect(JSON.parse(await mustSallyport(second, ['audit', 'verify', '--json']))).toMatchObject({
      ok: true,
    });
  });

  it('ends calls in flight when it is told to stop', async () => {
    const running = await start({ SALLYPORT_GATEWAY_DRAIN_MS: '300' });
    await furnish(running);
    const call = sallyport(running, ['call', '--agent', 'bob', '/s/echo/slow']);
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    upstream.once('request', () => resolve());
    await arrived;
    expect(await running.end('SIGTERM')).toBe(0);
    expect(running.output()).toMatch(/Stopped; 1 calls? in flight/);
    expect((await call).code).not.toBe(0);
  });

  it('refuses to start with faulty settings, naming all of them, and makes nothing', async () => {
    await writeFile(join(home, 'sallyport.yaml'), 'gateway:\n  prot: 1\nauditt: {}\n');
    await expect(start()).rejects.toThrow(/ended with 2[\s\S]*prot[\s\S]*did you mean port[\s\S]*auditt/);
    await expect(stat(join(home, 'keys'))).rejects.toThrow();
  });

  it('names a key file that was cut off, and one that others can read', async () => {
    await (await start()).end('SIGTERM');
    await truncate(join(home, 'keys/root.key'), 7);
    await expect(start()).rejects.toThrow(/ended with 4[\s\S]*root\.key/);
    await writeFile(join(home, 'keys/root.key'), Buffer.alloc(32, 1));
    await chmod(join(home, 'keys/root.key'), 0o644);
    await expect(start()).rejects.toThrow(/ended with 4[\s\S]*root\.key/);
  });

  it('refuses to run twice on one state folder', async () => {
    const running = await start();
    await expect(startServiceProcess(home)).rejects.toThrow(/ended with 4/);
    expect((await fetch(`${running.gatewayUrl}/healthz`)).status).toBe(200);
  });

  it('takes its passphrase from a file, and names a wrong one', async () => {
    const settings = {
      SALLYPORT_VAULT_SEAL: 'passphrase',
      SALLYPORT_VAULT_PASSPHRASE_FILE: join(home, 'passphrase'),
    };
    await writeFile(join(home, 'passphrase'), 'correct horse battery staple\n', { mode: 0o600 });
    const first = await start(settings);
    await furnish(first);
    await first.end('SIGTERM');
    await writeFile(join(home, 'passphrase'), 'wrong horse battery staple\n');
    await expect(start(settings)).rejects.toThrow(/ended with 4[\s\S]*passphrase/);
    await writeFile(join(home, 'passphrase'), 'correct horse battery staple\n');
    const again = await start(settings);
    expect(await mustSallyport(again, ['call', '--agent', 'bob', '/s/echo/'])).toContain('Bearer ');
  });
});
