import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import {
  createServer as createPlainServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { exportJWK } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { callOnce, openRelay, runCommand } from '../../src/cli/relay/index.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { type FakeGate, openFakeGate } from '../support/gate-fakes.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { type Bench, jwkOf, newKey, openBench } from '../unit/passport/support.ts';

const git = promisify(execFile);
const SECRET = 'fake-upstream-secret-0123456789';

let folder: string;
let bench: Bench;
let gate: FakeGate;
let startGate: () => Promise<FakeGate>;
let gitServer: GitServer;
let servers: Server[];
let agent: { clientId: string; privateJwk: Awaited<ReturnType<typeof exportJWK>> };
let seen: string[];
let secureOrigin: string;
let plainOrigin: string;

/** The real issuer and the real gateway, with upstreams behind them; only policy, detector and vault are played. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-line-'));
  seen = [];
  servers = [];
  const authority = await makeTestAuthority();
  const answer = (incoming: IncomingMessage, response: ServerResponse) => {
    seen.push(incoming.headers.authorization ?? 'none');
    response.write(`${incoming.method} ${incoming.url} `);
    incoming.pipe(response);
  };
  const securePort = await listen(createSecureServer(await authority.issue('api.test'), answer));
  const plainPort = await listen(createPlainServer(answer));
  const authorization = `Bearer ${SECRET}`;
  gitServer = await startGitServer({ root: folder, tls: await authority.issue('git.test'), authorization });
  secureOrigin = `https://api.test:${securePort}`;
  plainOrigin = `http://plain.test:${plainPort}`;
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  bench = await openBench({ audience: publicUrl, nonce: true, passportLifetimeSeconds: 12 });
  const upstream = { allowPrivate: true, upstreamCa: authority.certificatePem };
  startGate = () =>
    openFakeGate({
      services: [
        {
          ...upstream,
          name: 'api',
          origins: [{ scheme: 'https', host: 'api.test', port: securePort }],
          credential: 'api-key',
        },
        { ...upstream, name: 'plain', origins: [{ scheme: 'http', host: 'plain.test', port: plainPort }] },
        {
          ...upstream,
          name: 'git',
          origins: [{ scheme: 'https', host: 'git.test', port: gitServer.port }],
          credential: 'git-key',
        },
      ],
      secrets: { 'api-key': SECRET, 'git-key': SECRET },
      resolve: async () => ['127.0.0.1'],
      options: {
        listen: { host: '127.0.0.1', port },
        publicUrl,
        verifier: bench.room.verifier,
        revocations: bench.room.revocations,
      },
    });
  gate = await startGate();
  const key = await newKey();
  const registered = await bench.room.agents.register(
    { name: 'tester', owner: 'team', scopes: ['api:read', 'plain:read', 'git:read'], jwks: [jwkOf(key)] },
    'admin',
  );
  agent = {
    clientId: registered.agent.id,
    privateJwk: { ...(await exportJWK(key.privateKey)), kid: key.thumbprint, alg: 'ES256' },
  };
});
afterEach(async () => {
  await gate.close();
  await bench.close();
  await gitServer.close();
  for (const server of servers) server.close();
  await rm(folder, { recursive: true, force: true });
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return port;
}

const options = () => ({ gatewayUrl: gate.gateway.publicUrl, issuerUrl: bench.issuer, agent });
const runs = (argv: readonly string[]) =>
  runCommand({
    ...options(),
    argv: [...argv, join(folder, 'out')],
    environment: process.env,
    stateFolder: null,
    strict: false,
    stdio: 'ignore',
  });
const output = () => readFile(join(folder, 'out'), 'utf8');

describe('the relay before the real issuer and gateway', () => {
  test.each([
    ['https', () => `${secureOrigin}/x?q=1`, 'POST /x?q=1 body'],
    ['http', () => `${plainOrigin}/x?q=1`, 'POST /x?q=1 body'],
    ['a reverse path', () => '/s/api/x?q=1', 'POST /x?q=1 body'],
  ])('makes one call over %s', async (_, target, expected) => {
    const answer = await callOnce(target(), { ...options(), method: 'POST', body: Buffer.from('body') });
    expect(await text(answer.body)).toBe(expected);
    expect(answer.status).toBe(200);
  });

  test('lets curl through, whose calls get the secret that it never has', async () => {
    const script = `curl -sS ${secureOrigin}/a >"$1" && curl -sS ${plainOrigin}/b >>"$1"; env >>"$1"`;
    expect(await runs(['sh', '-c', script, 'sh'])).toBe(0);
    expect(await output()).toMatch(/^GET \/a GET \/b /);
    expect(await output()).not.toContain(SECRET);
    expect(seen).toEqual([`Bearer ${SECRET}`, 'none']);
  });

  test('lets Node through, over https and http', async () => {
    const script = `
      import { writeFileSync } from 'node:fs';
      const get = (url) => fetch(url).then((answer) => answer.text());
      writeFileSync(process.argv[1], (await get('${secureOrigin}/a')) + (await get('${plainOrigin}/b')));`;
    expect(await runs([process.execPath, '--input-type=module', '-e', script])).toBe(0);
    expect(await output()).toBe('GET /a GET /b ');
  });

  test('lets Python through, over https and http', async () => {
    const script = [
      'import sys, urllib.request as r',
      `data = r.urlopen("${secureOrigin}/a").read() + r.urlopen("${plainOrigin}/b").read()`,
      'open(sys.argv[1], "wb").write(data)',
    ].join('\n');
    expect(await runs(['python3', '-c', script])).toBe(0);
    expect(await output()).toBe('GET /a GET /b ');
  });

  test('lets git clone', async () => {
    const work = join(folder, 'work');
    await mkdir(work);
    await writeFile(join(work, 'file.txt'), 'content of the clone\n'.repeat(50_000));
    const names = ['-c', 'user.name=t', '-c', 'user.email=t@t.test'];
    for (const argv of [
      ['init', '-q'],
      ['add', '.'],
      [...names, 'commit', '-q', '-m', 'first'],
    ]) {
      await git('git', ['-C', work, ...argv]);
    }
    await git('git', ['clone', '-q', '--bare', work, join(folder, 'source.git')]);
    expect(await runs(['git', 'clone', '-q', `https://git.test:${gitServer.port}/source.git`])).toBe(0);
    expect(await readFile(join(folder, 'out', 'file.txt'), 'utf8')).toContain('content of the clone');
    expect(gitServer.seen.every((value) => value === `Bearer ${SECRET}`)).toBe(true);
  });

  test('keeps a client that keeps its connection going through renewals', async () => {
    const script = `
      import { appendFileSync } from 'node:fs';
      for (const end = Date.now() + 14_000; Date.now() < end; await new Promise((go) => setTimeout(go, 150))) {
        const answer = await fetch('${secureOrigin}/a');
        appendFileSync(process.argv[1], answer.status + (await answer.text()));
      }`;
    expect(await runs([process.execPath, '--input-type=module', '-e', script])).toBe(0);
    expect(await output()).toMatch(/^(200GET \/a )+$/);
    expect(bench.eventsOf('passport.issued').length).toBeGreaterThan(1);
    const calls = gate.of('call.permitted').length;
    expect(calls).toBeGreaterThan(50);
  });

  test('a program that trusts what it read at its start outlives a restart of the gate', async () => {
    const script = `
      import { appendFileSync, existsSync } from 'node:fs';
      const get = () => fetch('${secureOrigin}/a').then((answer) => answer.text(), (fault) => String(fault.cause));
      appendFileSync(process.argv[1], await get());
      while (!existsSync('${join(folder, 'restarted')}')) await new Promise((go) => setTimeout(go, 20));
      appendFileSync(process.argv[1], await get());`;
    const run = runs([process.execPath, '--input-type=module', '-e', script]);
    await vi.waitFor(async () => expect(await output()).toBe('GET /a '), { timeout: 10_000 });
    await gate.close();
    gate = await startGate();
    await writeFile(join(folder, 'restarted'), '');
    expect(await run).toBe(0);
    expect(await output()).toBe('GET /a GET /a ');
  });

  test('shows the gate’s own no: an unknown place, and an agent that was quarantined', async () => {
    const unknown = await callOnce('https://elsewhere.test/', options());
    expect(JSON.parse(await text(unknown.body))).toMatchObject({ code: 'service_unknown' });
    const relay = await openRelay(options());
    await bench.room.agents.quarantine(agent.clientId, 'a test', 'admin');
    const { port, username, password } = new URL(relay.proxyUrl);
    const headers = {
      host: new URL(plainOrigin).host,
      'proxy-authorization': `Basic ${btoa(`${username}:${password}`)}`,
    };
    const [answer]: IncomingMessage[] = await once(
      request({ host: '127.0.0.1', port, path: `${plainOrigin}/`, headers, agent: false }).end(),
      'response',
    );
    expect(answer?.headers['content-type']).toBe('application/problem+json');
    expect(answer === undefined ? '' : await text(answer)).toMatch(/agent_quarantined|passport_revoked/);
    await relay.close();
    await expect(callOnce(`${plainOrigin}/`, options())).rejects.toMatchObject({ code: 'issuer_refused' });
  });
});
