import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  mustSallyport,
  newHome,
  removeHome,
  type ServiceProcess,
  sallyport,
  startServiceProcess,
} from '../support/service-process.ts';

const secret = `fake-${'q'.repeat(24)}`;
const seen: string[] = [];
let home: string;
let service: ServiceProcess;
let upstream: Server;
let monitor: string;

beforeAll(async () => {
  home = await newHome();
  upstream = createServer((request, response) => {
    seen.push(...Object.values(request.headers).map(String));
    if (request.url?.startsWith('/slow') === true) response.write('begun');
    else response.end(JSON.stringify({ echo: request.headers.authorization ?? null }));
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const port = await freePort();
  monitor = `http://127.0.0.1:${port}`;
  service = await startServiceProcess(home, {
    SALLYPORT_MONITOR_PORT: String(port),
    SALLYPORT_LOG_LEVEL: 'debug',
    SALLYPORT_LOG_CALLS: 'true',
    SALLYPORT_GATEWAY_DRAIN_DELAY_MS: '1500',
    SALLYPORT_GATEWAY_DRAIN_MS: '300',
  });
  const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  await mustSallyport(service, [
    'service',
    'add',
    'echo',
    '--origin',
    origin,
    '--credential',
    'echo-key',
    '--allow-private',
  ]);
  await mustSallyport(service, ['credential', 'put', 'echo-key', '--service', 'echo', '--kind', 'bearer'], {
    input: secret,
  });
  await mustSallyport(service, ['agent', 'add', 'bob', '--owner', 'team', '--scope', 'echo:read']);
});
afterAll(async () => {
  await service?.end('SIGKILL');
  upstream?.closeAllConnections();
  upstream?.close();
  await removeHome(home);
});

async function freePort(): Promise<number> {
  const server = createSocketServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The signal takes its way. Rejects when the listener closes before it said no. */
async function untilNotReady(running: ServiceProcess): Promise<unknown> {
  for (;;) {
    const answer = await fetch(`${running.gatewayUrl}/readyz`);
    const { status, parts } = await answer.json();
    if (answer.status === 503) {
      expect(status).toBe('not_ready');
      return parts;
    }
  }
}

describe('a service that is watched', () => {
  it('says on every listener that it is alive and ready', async () => {
    for (const url of [monitor, service.controlUrl, service.gatewayUrl]) {
      expect((await fetch(`${url}/healthz`)).status, url).toBe(200);
      const ready = await fetch(`${url}/readyz`);
      expect([ready.status, await ready.json()]).toEqual([
        200,
        {
          status: 'ready',
          parts: { database: true, audit: true, keys: true, policy: true, guard: true, running: true },
        },
      ]);
    }
  });

  it('counts calls, refusals and passports, by service and reason, without naming agents or paths', async () => {
    await mustSallyport(service, ['call', '--agent', 'bob', '/s/echo/a-path-of-its-own']);
    await sallyport(service, ['call', '--agent', 'bob', '-X', 'POST', '/s/echo/']);
    await fetch(`${service.gatewayUrl}/s/echo/`, { headers: { authorization: `Bearer ${secret}` } });
    const text = await (await fetch(`${monitor}/metrics`)).text();
    expect(text).toMatch(/^sallyport_calls_permitted_total\{service="echo",effect="allow"\} 1$/m);
    expect(text).toMatch(/^sallyport_calls_completed_total\{service="echo",status="2xx"\} 1$/m);
    expect(text).toMatch(/^sallyport_calls_refused_total\{service="none",code="passport_\w+"\} 1$/m);
    expect(text).toMatch(/^sallyport_calls_refused_total\{service="echo",code="\w+"\} 1$/m);
    expect(text).toMatch(/^sallyport_passports_issued_total\{grant="client_credentials"\} 2$/m);
    expect(text).toMatch(/^sallyport_vault_opens_total\{outcome="opened"\} 1$/m);
    expect(text).toMatch(/^sallyport_audit_commit_seconds_count [1-9]/m);
    expect(text).toMatch(/^sallyport_calls_in_flight 0$/m);
    expect(text).not.toMatch(/bob|agent_|session_|a-path-of-its-own|fake-/);
  });

  it('shows metrics neither on the other listeners nor under a foreign name', async () => {
    for (const url of [service.controlUrl, service.gatewayUrl]) {
      expect((await fetch(`${url}/metrics`)).status).not.toBe(200);
    }
    const { request } = await import('node:http');
    const rebound = request(`${monitor}/metrics`, { headers: { host: 'attacker.test' } }).end();
    const [response] = await once(rebound, 'response');
    expect(response.statusCode).toBe(421);
    response.resume();
  });

  it('logs calls in JSON, and none of the secrets, tokens and proofs that went through it', async () => {
    const lines = service
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'info',
        event: 'call.completed',
        status: 200,
        message: 'A call was answered.',
      }),
    );
    expect(lines).toContainEqual(
      expect.objectContaining({ event: 'call.refused', code: expect.any(String) }),
    );
    const agents = await readdir(join(home, 'keys/agents'));
    const keys = await Promise.all(agents.map((name) => readFile(join(home, 'keys/agents', name), 'utf8')));
    const token = (await readFile(join(home, 'keys/admin-token'), 'utf8')).trim();
    const output = service.output();
    expect(seen.length).toBeGreaterThan(0);
    const values = [secret, token, ...keys.map((key) => /"d":\s*"([^"]+)"/.exec(key)?.[1] ?? 'no key')];
    for (const value of [...values, ...seen.filter((value) => value.includes(secret))]) {
      expect(output).not.toContain(value);
    }
    expect(output).not.toMatch(/eyJ|Bearer|DPoP/);
  });

  it('drains: not ready at once, calls still taken for a while, those in flight ended, exit code 0', async () => {
    const arrived = once(upstream, 'request');
    const slow = sallyport(service, ['call', '--agent', 'bob', '/s/echo/slow']);
    await arrived;
    const ended = service.end('SIGTERM');
    const parts = await untilNotReady(service);
    expect(parts).toEqual({
      database: true,
      audit: true,
      keys: true,
      policy: true,
      guard: true,
      running: false,
    });
    expect((await fetch(`${service.gatewayUrl}/healthz`)).status).toBe(200);
    expect(await ended).toBe(0);
    expect((await slow).code).not.toBe(0);
    expect(service.output()).toMatch(/Stopped; 1 calls? in flight/);
    await expect(fetch(`${service.gatewayUrl}/healthz`)).rejects.toThrow();
    // The last record has a signed checkpoint behind it.
    const verified = JSON.parse(await mustSallyport(service, ['audit', 'verify', '--json']));
    expect(verified).toMatchObject({ ok: true });
    const notes = (await readFile(join(home, 'data/audit/checkpoints.jsonl'), 'utf8')).trim().split('\n');
    expect(JSON.parse(notes.at(-1) ?? '').note).toContain(`\n${verified.records}\n`);
  });

  it('ends at once at the second signal, and opens again without loss', async () => {
    const again = await startServiceProcess(home, {
      SALLYPORT_GATEWAY_DRAIN_DELAY_MS: '600000',
    });
    again.signal('SIGTERM');
    await untilNotReady(again);
    expect(await again.end('SIGINT')).toBe(130);
    expect(JSON.parse(await mustSallyport(again, ['audit', 'verify', '--json']))).toMatchObject({ ok: true });
  });
});
