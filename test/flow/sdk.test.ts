import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import express from 'express';
import { exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Agent, type PrivateJwk, requirePassport, SdkFault } from '../../src/sdk/index.ts';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';
import { repositoryRoot } from '../support/shared.ts';
import { makeProof, newKey, TestAgent } from '../unit/passport/support.ts';

const API = 'https://api.example';

let gate: RealGate;
let upstream: EchoUpstream;
let api: Server;
let apiUrl: string;
let aheadMs = 0;

beforeAll(async () => {
  upstream = await openEchoUpstream();
  gate = await openRealGate({ bench: { resources: [API] } });
  await gate.services.put(
    { name: 'api', origins: [`http://api.example:${upstream.port}`], credential: null, allowPrivate: true },
    'admin',
  );
  const app = express();
  const shared = { issuer: gate.bench.issuer, audience: API, now: () => Date.now() + aheadMs };
  app.use('/service', requirePassport({ ...shared, service: 'orders' }));
  app.use('/short', requirePassport({ ...shared, maxChainHops: 1 }));
  app.use('/scoped', requirePassport({ ...shared, scopes: ['api:write'] }));
  app.use('/open', requirePassport(shared));
  app.use((request, response) => {
    const { passport } = request as {
      passport?: { actor: string; subject: string; priorActors: readonly string[] };
    };
    response.json({ actor: passport?.actor, subject: passport?.subject, prior: passport?.priorActors });
  });
  api = createServer(app);
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
});

afterAll(async () => {
  api?.close();
  await gate?.close();
  upstream?.close();
});

/** An agent that is registered, as its program would open it. */
async function open(scopes = ['api:read', 'api:write', 'tools:call']) {
  const registered = await gate.newAgent(scopes);
  const jwk = { ...(await exportJWK(registered.key.privateKey)), kid: registered.key.thumbprint };
  const options = {
    issuer: gate.bench.issuer,
    gate: `http://127.0.0.1:${gate.gateway.port}`,
    clientId: registered.id,
    key: jwk as PrivateJwk,
  };
  return { registered, options, agent: await Agent.open(options) };
}

describe('an agent of the SDK', () => {
  test('gets a passport, calls through the gate, and keeps its passport', async () => {
    const { agent } = await open();
    const first = await agent.passport();
    const answer = await agent.fetch('/s/api/things?q=1', { method: 'POST', body: 'hello' });
    expect(answer.status).toBe(200);
    expect(upstream.seen.at(-1)?.url).toBe('/things?q=1');
    expect((await agent.passport()).token).toBe(first.token);
  });

  test('never sends its passport anywhere but to the gate', async () => {
    const { agent } = await open();
    await expect(agent.fetch(`http://api.example:${upstream.port}/x`)).rejects.toThrow(TypeError);
  });

  test('asks before a tool call runs, and tells what it answered', async () => {
    const { agent } = await open();
    const call = { sessionId: 's', callId: 'c', tool: 'Bash', args: { command: 'ls' } };
    expect(await agent.decide(call)).toMatchObject({ decision: 'allow' });
    expect(await agent.observe({ ...call, text: 'a file' })).toEqual([]);
    const narrow = await open(['api:read']);
    expect(await narrow.agent.decide(call)).toMatchObject({
      decision: 'deny',
      answer: { code: 'scope_insufficient' },
    });
  });

  test('gets a new passport when the gate does not take the old one any more', async () => {
    const { agent } = await open();
    const { token } = await agent.passport();
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const request = { tenant: 'default', kind: 'token', value: jti, by: 'admin', reason: null } as const;
    await gate.bench.room.revocations.revoke(request);
    expect((await agent.fetch('/s/api/again')).status).toBe(200);
    expect((await agent.passport()).token).not.toBe(token);
  });

  test('passes on less than it has; the other agent acts with it, for it, and no wider', async () => {
    const [planner, worker] = [await open(), await open()];
    const handed = await planner.agent.passOn(worker.agent.clientId, {
      scope: 'api:read',
      authorizationDetails: [{ type: 'tool_call', service: 'api', path: '/given' }],
    });
    const acting = await worker.agent.actFor(handed);
    expect((await acting.fetch('/s/api/given')).status).toBe(200);
    expect((await acting.fetch('/s/api/other')).status).toBe(403);
    expect((await acting.passport()).scope).toBe('api:read');
    await expect(worker.agent.actFor(handed)).rejects.toMatchObject({ oauthError: 'invalid_grant' });
    const stranger = await open();
    const other = await planner.agent.passOn(worker.agent.clientId);
    await expect(stranger.agent.actFor(other)).rejects.toBeInstanceOf(SdkFault);
  });

  test('says why it gets none', async () => {
    const { options } = await open();
    await expect(Agent.open({ ...options, wanted: { scope: 'api:admin' } })).rejects.toMatchObject({
      code: 'refused',
      oauthError: 'invalid_scope',
    });
    const nobody = { ...options, issuer: 'http://127.0.0.1:9' };
    await expect(Agent.open(nobody)).rejects.toMatchObject({ code: 'unreachable' });
    await expect(Agent.open({ ...options, key: { kty: 'EC', crv: 'P-256' } })).rejects.toThrow(TypeError);
  });
});

describe('a resource server behind requirePassport', () => {
  const call = async (
    agent: TestAgent,
    token: string,
    o: { path?: string; method?: string; headers?: Record<string, string>; proof?: string } = {},
  ) => {
    const { path = '/open/x', method = 'GET' } = o;
    const proof =
      o.proof ??
      (await makeProof(agent.dpop, { htm: method, htu: `${API}${path.split('?')[0]}`, accessToken: token }));
    const headers = { authorization: `DPoP ${token}`, dpop: proof, ...o.headers };
    const answer = await fetch(`${apiUrl}${path}`, { method, headers });
    return { status: answer.status, headers: answer.headers, body: await answer.json() };
  };
  const forApi = (agent: TestAgent, form: Record<string, string> = {}) =>
    agent.passport({ resource: API, ...form });

  test('knows who calls and for whom, through a chain', async () => {
    const [planner, worker] = [await gate.newAgent(['api:read']), await gate.newAgent(['api:read'])];
    const parent = await forApi(planner, { may_act: worker.id });
    expect((await call(planner, parent)).body).toEqual({ actor: planner.id, subject: planner.id, prior: [] });
    const token = String((await worker.exchange(parent)).body.access_token);
    expect((await call(worker, token)).body).toEqual({ actor: worker.id, subject: planner.id, prior: [] });
    expect((await call(worker, token, { path: '/short/x' })).status).toBe(401);
    expect((await call(planner, parent, { path: '/short/x' })).status).toBe(200);
  });

  test('refuses a request without a passport, with a bare challenge', async () => {
    const answer = await fetch(`${apiUrl}/open/x`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('DPoP algs="ES256 EdDSA"');
  });

  test('refuses what is not for it, not bound to the caller, or shown twice', async () => {
    const agent = await gate.newAgent(['api:read']);
    const token = await forApi(agent);
    const thief = new TestAgent(gate.bench, agent.id, agent.key, await newKey());
    const elsewhere = await makeProof(agent.dpop, { htm: 'GET', htu: `${API}/other`, accessToken: token });
    const once = await makeProof(agent.dpop, { htm: 'GET', htu: `${API}/open/x`, accessToken: token });
    const cases: [string, Promise<{ status: number; body: { error: string } }>, string][] = [
      ['for the gateway', call(agent, await agent.passport()), 'invalid_token'],
      ['by another key', call(thief, token), 'invalid_token'],
      ['as Bearer', call(agent, token, { headers: { authorization: `Bearer ${token}` } }), 'invalid_token'],
      ['changed', call(agent, `${token.slice(0, -2)}xx`), 'invalid_token'],
      ['without a proof', call(agent, token, { proof: '' }), 'invalid_dpop_proof'],
      ['with a proof for another URL', call(agent, token, { proof: elsewhere }), 'invalid_dpop_proof'],
      ['with two proofs', call(agent, token, { proof: `${once},${once}` }), 'invalid_dpop_proof'],
    ];
    for (const [what, answer, error] of cases) {
      const { status, body } = await answer;
      expect([what, status, body.error]).toEqual([what, 401, error]);
    }
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(agent, token, { proof: once })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('refuses an access token that is signed by nobody, or by a key that the issuer does not have', async () => {
    const agent = await gate.newAgent(['api:read']);
    const token = await forApi(agent);
    const [, payload] = token.split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
    expect((await call(agent, `${none}.${payload}.`)).status).toBe(401);
    const foreign = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'x' })).toString(
      'base64url',
    );
    expect((await call(agent, `${foreign}.${payload}.${token.split('.')[2]}`)).status).toBe(401);
  });

  test('asks for the scopes that it is told to, and says which', async () => {
    const agent = await gate.newAgent(['api:read', 'api:write']);
    const reader = await call(agent, await forApi(agent, { scope: 'api:read' }), { path: '/scoped/x' });
    expect([reader.status, reader.body.error]).toEqual([403, 'insufficient_scope']);
    expect(reader.headers.get('www-authenticate')).toContain('scope="api:write"');
    expect((await call(agent, await forApi(agent), { path: '/scoped/x' })).status).toBe(200);
  });

  test('keeps a narrowed passport narrow: details that it can not judge are a no', async () => {
    const agent = await gate.newAgent(['api:read']);
    const detail = (o: object) => ({ authorization_details: JSON.stringify([{ type: 'tool_call', ...o }]) });
    const token = await forApi(agent, detail({ service: 'orders', method: 'GET', path: '/service/a' }));
    expect((await call(agent, token, { path: '/service/a' })).status).toBe(200);
    expect((await call(agent, token, { path: '/service/b' })).status).toBe(403);
    expect((await call(agent, token, { path: '/open/x' })).status).toBe(403);
    const counted = await forApi(agent, detail({ service: 'orders', max_calls: 5 }));
    expect((await call(agent, counted, { path: '/service/a' })).status).toBe(403);
  });

  test('learns of a revocation from the status list, and refuses when it can not be had', async () => {
    const agent = await gate.newAgent(['api:read']);
    const token = await forApi(agent);
    expect((await call(agent, token)).status).toBe(200);
    const request = { tenant: 'default', kind: 'agent', value: agent.id, by: 'admin', reason: null } as const;
    await gate.bench.room.revocations.revoke(request);
    // The list that it has is good for 30 seconds more.
    aheadMs = 31_000;
    const iat = Math.floor((Date.now() + aheadMs) / 1000);
    const proof = await makeProof(agent.dpop, {
      htm: 'GET',
      htu: `${API}/open/x`,
      accessToken: token,
      claims: { iat },
    });
    const refused = await call(agent, token, { proof });
    expect([refused.status, refused.body.error_description]).toEqual([401, 'The passport was revoked.']);
    aheadMs = 0;
  });
});

describe('the package', () => {
  test('is plain JavaScript with types, needs no module of Node, and works', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-sdk-'));
    const run = promisify(execFile);
    const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [tsc, '-p', join(repositoryRoot, 'tsconfig.sdk.json'), '--outDir', folder]);
    const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.js'));
    expect(files).toContain(join('sdk', 'index.js'));
    for (const file of files) {
      const text = await readFile(join(folder, file), 'utf8');
      const imported = [...text.matchAll(/^(?:import|export|\}).* from '([^']+)'/gm)].map(
        ([, from]) => from ?? '',
      );
      expect(
        imported.filter((from) => !from.startsWith('.') || !from.endsWith('.js')),
        file,
      ).toEqual([]);
    }
    const { options } = await open();
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    const script = `
      import { Agent } from './sdk/index.js';
      const agent = await Agent.open(${JSON.stringify(options)});
      console.log((await agent.fetch('/s/api/from-package')).status);`;
    await writeFile(join(folder, 'main.js'), script);
    const { stdout } = await run(process.execPath, [join(folder, 'main.js')]);
    expect(stdout.trim()).toBe('200');
    await rm(folder, { recursive: true, force: true });
  });
});
