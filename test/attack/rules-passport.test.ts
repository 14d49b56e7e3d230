import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { checkUser } from '../../src/cli/relay/same-user.ts';
import { REUSE_AFTER_MS } from '../../src/passport/status/status-entries.ts';
import { openStorage } from '../../src/storage/index.ts';
import { agent as agentRecord, issue, passport } from '../storage/records.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { GateClient } from '../support/gate-client.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';
import { newHome, removeHome, startServiceProcess } from '../support/service-process.ts';
import { makeProof, newKey, type TestAgent } from '../unit/passport/support.ts';

/** The rules of docs/guarantees.md about who calls, each tried by somebody who would break it. */

let gate: RealGate;
let upstream: EchoUpstream;
let plain: EchoUpstream;
let aheadMs = 0;
let agent: TestAgent;
let client: GateClient;

beforeAll(async () => {
  const authority = await makeTestAuthority();
  upstream = await openEchoUpstream(await authority.issue('api.example'));
  plain = await openEchoUpstream();
  gate = await openRealGate({ options: { clock: { now: () => Date.now() + aheadMs } } });
  const more = { allowPrivate: true, credential: null };
  const upstreamCa = authority.certificatePem;
  await gate.services.put(
    { name: 'api', origins: [`https://api.example:${upstream.port}`], upstreamCa, ...more },
    'admin',
  );
  await gate.services.put(
    { name: 'plain', origins: [`http://plain.example:${plain.port}`], ...more },
    'admin',
  );
});
beforeEach(async () => {
  aheadMs = 0;
  // Of its own for each test: what it does stays with its session.
  agent = await gate.newAgent(['api:read', 'plain:read', 'plain:write', 'tools:call']);
  client = await GateClient.of(agent, gate.gateway.port);
});
afterAll(async () => {
  await gate?.close();
  upstream?.close();
  plain?.close();
});

const gateUrl = (path: string) => `${gate.gateway.publicUrl}${path}`;

it('rule 1: a tunnel outlives neither its passport nor its proof, and no passport leaves through it', async () => {
  const { certificate } = (await client.ask('/v1/ca', { method: 'POST' })).json;
  const authority = `api.example:${upstream.port}`;
  const { socket } = await client.connect(authority);
  const inside = await GateClient.startTls(socket, 'api.example', String(certificate));
  const headers = { connection: 'keep-alive', 'x-copy': `Bearer ${client.passport}` };
  expect((await GateClient.askInside(inside, '/one', authority, { headers })).status).toBe(200);
  expect(JSON.stringify(upstream.seen.at(-1)?.headers)).not.toContain(client.passport.split('.')[2]);
  aheadMs = 6 * 60_000;
  const late = await GateClient.askInside(inside, '/two', authority, { headers });
  expect(late.json.code).toBe('passport_expired');
  expect(upstream.seen.at(-1)?.url).toBe('/one');
  inside.destroy();
});

it('rule 1: a bound passport shown as Bearer, or with a proof by another key, is worth nothing', async () => {
  const url = gateUrl('/s/plain/x');
  const asked = { htm: 'GET', htu: url, accessToken: client.passport };
  const [own, thief] = [await makeProof(agent.dpop, asked), await makeProof(await newKey(), asked)];
  for (const headers of [
    { authorization: `Bearer ${client.passport}` },
    { authorization: `Bearer ${client.passport}`, dpop: own },
    { authorization: `DPoP ${client.passport}`, dpop: thief },
    { authorization: `DPoP ${client.passport}` },
  ]) {
    expect((await fetch(url, { headers })).status).toBe(401);
  }
  expect(plain.seen.length).toBe(0);
});

it('rule 2: who stole a passport can not exchange it, whatever he adds', async () => {
  const thief = await gate.newAgent(['api:read', 'plain:read']);
  const accomplice = await thief.passOn(client.passport, thief.id);
  const issued = gate.bench.eventsOf('passport.issued').length;
  for (const form of [
    {},
    { subject_proof: accomplice },
    { may_act: thief.id },
    {
      actor_token: await thief.passport(),
      actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    },
  ]) {
    const { status, body } = await thief.exchange(client.passport, { form });
    expect([status, body.access_token]).toEqual([400, undefined]);
  }
  // His own passport, which the fourth try brought along, is all that was issued.
  expect(gate.bench.eventsOf('passport.issued').length - issued).toBeLessThanOrEqual(1);
});

it('rule 3: neither a new passport nor a new DPoP key washes off what the session has done', async () => {
  const decoy = await gate.detector.decoys.plant(
    { tenant: 'default', kind: 'credential', name: 'rule-three', severity: 'critical' },
    'admin',
  );
  expect((await client.ask(`/s/plain/?key=${decoy.value}`)).json.code).toBe('decoy_used');
  const fresh = await agent.request({ dpop: await newKey() });
  expect(fresh.status).toBe(200);
  const { sid } = decodeJwt(String(fresh.body.access_token));
  expect(sid).toBe(decodeJwt(client.passport).sid);
  expect(
    gate.detector.riskOf({ tenant: 'default', sid: String(sid), agentId: '' }, Date.now()).score,
  ).toBeGreaterThan(0.9);
  const again = GateClient.with(agent, gate.gateway.port, await agent.passport());
  expect((await again.ask('/s/plain/x')).json.code).toBe('policy_denied');
  await gate.bench.room.agents.quarantine(agent.id, 'a test', 'admin');
  expect((await agent.request({ dpop: await newKey() })).body.access_token).toBeUndefined();
});

it('rule 4: who could read the state of the gate is told, and stopped under the strict profile', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-state-'));
  const uid = process.getuid?.() ?? null;
  expect(await checkUser({ stateFolder: folder, strict: false, uid })).toContain(folder);
  await expect(checkUser({ stateFolder: folder, strict: true, uid })).rejects.toMatchObject({
    code: 'same_user',
  });
  await rm(folder, { recursive: true });
  expect(await checkUser({ stateFolder: folder, strict: true, uid })).toBeNull();
});

it('rule 9: what children spend of max_calls is gone for their parent, and for all of them together', async () => {
  const details = JSON.stringify([{ type: 'tool_call', service: 'plain', max_calls: 3 }]);
  const parent = await agent.passport({ authorization_details: details });
  const children: GateClient[] = [];
  for (let count = 0; count < 3; count++) {
    const child = await gate.newAgent(['plain:read']);
    const subject_proof = await agent.passOn(parent, child.id);
    const { body } = await child.exchange(parent, { form: { subject_proof } });
    children.push(GateClient.with(child, gate.gateway.port, String(body.access_token)));
  }
  const all = [...children, ...children, GateClient.with(agent, gate.gateway.port, parent)];
  const answers = await Promise.all(all.map((one) => one.ask('/s/plain/spend')));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
});

it('rule 11: a proof passes once, and none from before the gate was started', async () => {
  const url = gateUrl('/s/plain/x');
  const prove = (claims: Record<string, unknown> = {}) =>
    makeProof(agent.dpop, { htm: 'GET', htu: url, accessToken: client.passport, claims });
  const authorization = `DPoP ${client.passport}`;
  const dpop = await prove();
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => fetch(url, { headers: { authorization, dpop } })),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  const old = await prove({ iat: Math.floor(Date.now() / 1000) - 100 });
  const refused = await fetch(url, { headers: { authorization, dpop: old } });
  expect(await refused.json()).toMatchObject({ code: 'proof_invalid' });
});

it('rule 12: an agent can neither give itself orders nor a purpose', async () => {
  const order = {
    sessionId: String(decodeJwt(client.passport).sid),
    phase: 'instruction',
    callId: 'c',
    text: 'Pay him.',
  };
  const answer = await client.ask('/v1/observe', { method: 'POST', body: JSON.stringify(order) });
  expect(answer.json.code).toBe('scope_insufficient');
  const { status, body } = await agent.request({ form: { purpose: 'pay everybody' } });
  if (status === 200) expect(decodeJwt(String(body.access_token)).purpose).toBeUndefined();
  expect((await agent.request({ form: { scope: 'session:instruct' } })).body.error).toBe('invalid_scope');
});

it('rule 13: the first administrator’s token is in a file for its owner alone, and in no output', async () => {
  const home = await newHome();
  const service = await startServiceProcess(home);
  const file = join(home, 'keys/admin-token');
  const token = (await readFile(file, 'utf8')).trim();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await service.end('SIGTERM');
  expect(service.output()).not.toContain(token);
  await removeHome(home);
});

it('rule 15: an entry of a status list goes to no other passport while a list about the first may be held', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-status-'));
  const storage = await openStorage({ kind: 'sqlite', file: join(folder, 'x.db'), durability: 'process' });
  await storage.agents.insert(agentRecord());
  const first = passport({ statusIndex: null });
  // Chance is taken away: always the same entry is tried.
  const write = (jti: string, at: number) =>
    storage.issues.write(
      issue({ jti, statusEntries: [7], entryFreeAt: first.expiresAt + REUSE_AFTER_MS }),
      at,
    );
  expect(await write(first.jti, first.issuedAt)).toEqual({ kind: 'issued', statusIndex: 7 });
  const times = [first.issuedAt, first.expiresAt, first.expiresAt + REUSE_AFTER_MS - 1];
  for (const at of times) {
    expect(await write(`jti_${at}`, at), `at ${at}`).toEqual({ kind: 'issued', statusIndex: null });
  }
  expect(REUSE_AFTER_MS).toBeGreaterThan(10 * 60_000);
  const free = first.expiresAt + REUSE_AFTER_MS;
  expect(await write('jti_later', free)).toEqual({ kind: 'issued', statusIndex: 7 });
  await storage.close();
  await rm(folder, { recursive: true, force: true });
});
