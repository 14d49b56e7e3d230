import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AskingAgent, newPerson, type TestPerson } from '../../support/consent.ts';
import { type Bench, newKey, openBench, post } from './support.ts';

let bench: Bench;
let person: TestPerson;
/** A public client: a program on people's machines, bound by its key alone. */
let agent: AskingAgent;

beforeAll(async () => {
  bench = await openBench();
  person = await newPerson(bench);
});
beforeEach(async () => {
  bench.clock.aheadMs = 0;
  agent = await AskingAgent.register(bench, { publicClient: true });
});
afterAll(() => bench?.close());

const details = JSON.stringify([
  { type: 'tool_call', service: 'github', method: 'PUT', max_calls: 3 },
  { type: 'tool_call', service: 'github', method: 'GET', max_calls: 5 },
]);

const refused = async (answer: Promise<{ body: Record<string, unknown> }>) => (await answer).body.error;

describe('a refresh token', () => {
  test('gives another passport of the same session and chain, and another refresh token in its place', async () => {
    const first = await agent.tokens(person);
    const second = await agent.refresh(first.refresh);
    expect(second.status).toBe(200);
    expect(second.body.refresh_token).not.toBe(first.refresh);
    const [before, after] = [decodeJwt(first.access), decodeJwt(String(second.body.access_token))];
    expect([after.sid, after.chain, after.sub, after.act]).toEqual([
      before.sid,
      before.chain,
      person.id,
      { sub: agent.id },
    ]);
    expect(after.jti).not.toBe(before.jti);
    expect((await agent.refresh(String(second.body.refresh_token))).status).toBe(200);
    expect(await agent.isLive(first.access)).toBe(true);
  });

  test('is kept as a hash alone', async () => {
    const { refresh } = await agent.tokens(person);
    const [grant] = await bench.storage.personGrants.list('default', {
      agentId: agent.id,
      after: null,
      limit: 1,
    });
    expect(grant?.refreshHash).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(grant)).not.toContain(refresh.split('.')[2]);
  });

  test('that comes again ends the family and its passports, and people are told', async () => {
    const first = await agent.tokens(person);
    const second = await agent.refresh(first.refresh);
    const third = await agent.refresh(String(second.body.refresh_token));
    expect(await refused(agent.refresh(first.refresh))).toBe('invalid_grant');
    expect(await refused(agent.refresh(String(third.body.refresh_token)))).toBe('invalid_grant');
    for (const token of [first.access, second.body.access_token, third.body.access_token]) {
      expect(await agent.isLive(String(token))).toBe(false);
    }
    expect(bench.eventsOf('alert.raised').slice(-1)[0]?.data).toMatchObject({
      agentId: agent.id,
      findings: [{ check: 'identity.grant_reused' }],
    });
    expect(bench.eventsOf('grant.ended').slice(-1)[0]?.data).toMatchObject({ by: 'the issuer' });
  });

  test('of twenty uses at once, one gets a passport, and the family ends', async () => {
    const { refresh } = await agent.tokens(person);
    const all = await Promise.all(Array.from({ length: 20 }, () => agent.refresh(refresh)));
    const got = all.filter(({ status }) => status === 200);
    expect(got).toHaveLength(1);
    expect(await agent.isLive(String(got[0]?.body.access_token))).toBe(false);
    expect(await refused(agent.refresh(String(got[0]?.body.refresh_token)))).toBe('invalid_grant');
  });

  test('of uses at two nodes at once, at most one gets a passport, and the family ends on both', async () => {
    const { refresh } = await agent.tokens(person);
    const node = await bench.openNode();
    const server = createServer(express().use(node.issuer));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const there = new AskingAgent({ ...bench, issuer }, agent.agent, null, agent.dpop);
    const uses = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? agent : there).refresh(refresh));
    const got = (await Promise.all(uses)).filter(({ status }) => status === 200);
    expect(got.length).toBeLessThanOrEqual(1);
    for (const { body } of got) {
      expect(await agent.isLive(String(body.access_token))).toBe(false);
      expect(await refused(there.refresh(String(body.refresh_token)))).toBe('invalid_grant');
    }
    const [grant] = await bench.room.personGrants.list({
      agentId: agent.id,
      liveOnly: false,
      after: null,
      limit: 1,
    });
    expect(grant).toMatchObject({ status: 'ended', endedBy: 'the issuer' });
    server.closeAllConnections();
    server.close();
  });

  test('of a public client is good with its key alone, and one with another key uses nothing up', async () => {
    const { refresh } = await agent.tokens(person);
    expect(await refused(agent.refresh(refresh, {}, { dpop: await newKey() }))).toBe('invalid_grant');
    expect(await refused(agent.refresh(refresh, {}, { dpop: null }))).toBe('invalid_grant');
    expect((await agent.refresh(refresh)).status).toBe(200);
  });

  test('of a client with keys is good with another DPoP key, and for nobody who has not those keys', async () => {
    const confidential = await AskingAgent.register(bench);
    const { refresh } = await confidential.tokens(person);
    const thief = new AskingAgent(bench, confidential.agent, await newKey(), confidential.dpop);
    expect(await refused(thief.refresh(refresh))).toBe('invalid_client');
    const bare = new AskingAgent(bench, confidential.agent, null, confidential.dpop);
    expect(await refused(bare.refresh(refresh))).toBe('invalid_client');
    const { status, body } = await confidential.refresh(refresh, {}, { dpop: await newKey() });
    expect([status, body.token_type]).toEqual([200, 'DPoP']);
  });

  test('of another client is none, and stays good', async () => {
    const { refresh } = await agent.tokens(person);
    const other = await AskingAgent.register(bench, { publicClient: true });
    expect(await refused(other.refresh(refresh, {}, { dpop: agent.dpop }))).toBe('invalid_grant');
    expect((await agent.refresh(refresh)).status).toBe(200);
  });

  test('that is made up, altered or of another grant ends nothing', async () => {
    const { refresh } = await agent.tokens(person);
    const [head = '', serial = '', random = '', mark = ''] = refresh.split('.');
    for (const invented of [
      'sprf_x',
      `${head}.${serial}.${'a'.repeat(43)}.${mark}`,
      `${head}.1.${random}.${mark}`,
      `${head}.${serial}.${random}.${'a'.repeat(43)}`,
      `${refresh}x`,
    ]) {
      expect(await refused(agent.refresh(invented)), invented).toBe('invalid_grant');
    }
    expect((await agent.refresh(refresh)).status).toBe(200);
  });

  test.each<[string, Record<string, string>, string]>([
    ['scope', { scope: 'github:read github:write' }, 'invalid_scope'],
    ['scope that was never registered', { scope: 'github:admin' }, 'invalid_scope'],
    [
      'details',
      { authorization_details: '[{"type":"tool_call","service":"github"}]' },
      'invalid_authorization_details',
    ],
    ['resource', { resource: 'https://evil.example' }, 'invalid_target'],
  ])('gives no more %s than the person allowed', async (_what, form, error) => {
    const { refresh } = await agent.tokens(
      person,
      { authorization_details: details },
      { scope: ['github:read'] },
    );
    expect(await refused(agent.refresh(refresh, form))).toBe(error);
    expect((await agent.refresh(refresh)).body.scope).toBe('github:read');
  });

  test('gives less where less is asked for, and all of it again after that', async () => {
    const { refresh } = await agent.tokens(person);
    const less = await agent.refresh(refresh, { scope: 'github:read', requested_lifetime: '60' });
    expect([less.body.scope, less.body.expires_in]).toEqual(['github:read', 60]);
    const all = await agent.refresh(String(less.body.refresh_token));
    expect(all.body.scope).toBe('github:read github:write');
  });

  test('counts calls of all passports against the limits that the person gave, in whatever order they are asked for', async () => {
    const { access, refresh } = await agent.tokens(person, { authorization_details: details });
    const hop = 0;
    expect(decodeJwt(access).budgets).toEqual([[[hop, 0, 3]], [[hop, 1, 5]]]);
    const [put, get] = JSON.parse(details);
    const turned = JSON.stringify([get, { ...put, max_calls: 2 }]);
    const { body } = await agent.refresh(refresh, { authorization_details: turned });
    expect(decodeJwt(String(body.access_token)).budgets).toEqual([[[hop, 1, 5]], [[hop, 0, 2]]]);
  });

  test('leaves out what the agent has lost, and is no way to what it gets later', async () => {
    const { refresh } = await agent.tokens(person, {}, { scope: ['github:read', 'github:write'] });
    await bench.room.agents.update(agent.id, { scopes: ['github:read', 'npm:read'] }, 'admin');
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const { body } = await agent.refresh(refresh);
    expect(body.scope).toBe('github:read');
    await bench.room.agents.update(agent.id, { scopes: ['npm:read'] }, 'admin');
    expect(await refused(agent.refresh(String(body.refresh_token)))).toBe('invalid_scope');
  });

  test('is over when the time that the person gave is over, however often it was renewed', async () => {
    const { refresh } = await agent.tokens(person, {}, { lifetime: '3600' });
    const { body } = await agent.refresh(refresh);
    const [grant] = await bench.storage.personGrants.list('default', {
      agentId: agent.id,
      after: null,
      limit: 1,
    });
    expect((grant?.expiresAt ?? 0) - (grant?.createdAt ?? 0)).toBe(3_600_000);
    bench.clock.aheadMs = 3_600_000;
    const late = await agent.send(
      '/token',
      { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) },
      { dpop: agent.dpop },
    );
    expect(late.status).toBe(400);
    expect(await bench.room.personGrants.get(String(grant?.id))).toMatchObject({ status: 'ended' });
  });

  test('is ended by its client (RFC 7009), with its passports; one of another client is not', async () => {
    const { access, refresh } = await agent.tokens(person);
    const other = await AskingAgent.register(bench, { publicClient: true });
    const revoke = (by: AskingAgent, token: string) =>
      post(`${bench.issuer}/revoke`, { form: { client_id: by.id, token } });
    const foreign = await revoke(other, refresh);
    expect([foreign.status, foreign.body.error]).toEqual([400, 'unauthorized_client']);
    expect((await revoke(agent, refresh)).status).toBe(200);
    expect(await refused(agent.refresh(refresh))).toBe('invalid_grant');
    expect(await agent.isLive(access)).toBe(false);
    expect((await revoke(agent, refresh)).status).toBe(200);
    expect((await revoke(agent, 'sprf_made-up')).status).toBe(200);
  });

  test('a public client ends its passport, and the grant with it, but learns nothing by asking about it', async () => {
    const { access, refresh } = await agent.tokens(person);
    const asked = await post(`${bench.issuer}/introspect`, { form: { client_id: agent.id, token: access } });
    expect(asked.body.active ?? false).toBe(false);
    const revoked = await post(`${bench.issuer}/revoke`, { form: { client_id: agent.id, token: access } });
    expect(revoked.status).toBe(200);
    expect(await agent.isLive(access)).toBe(false);
    expect(await refused(agent.refresh(refresh))).toBe('invalid_grant');
  });
});

describe('what ends a grant', () => {
  const revoke = (kind: 'user' | 'agent' | 'owner' | 'session' | 'credential', value: string) =>
    bench.room.revocations.revoke({ tenant: 'default', kind, value, by: 'admin', reason: 'test' });

  test.each([
    'user',
    'agent',
    'owner',
    'session',
    'credential',
    'disabled user',
    'removed user',
    'quarantine',
    'removed agent',
    'new owner',
  ] as const)('%s: neither its passport nor its refresh token is good after that', async (how) => {
    const owner = `owner-${Math.random().toString(36).slice(2)}`;
    const asker = await AskingAgent.register(bench, { owner });
    const other = await newPerson(bench);
    const { access, refresh } = await asker.tokens(other);
    const { agents } = bench.room;
    const { users } = bench.people;
    switch (how) {
      case 'user':
        await revoke('user', other.id);
        break;
      case 'agent':
        await revoke('agent', asker.id);
        await agents.release(asker.id, 'admin');
        break;
      case 'owner':
        await revoke('owner', owner);
        await agents.release(asker.id, 'admin');
        break;
      case 'session':
        await revoke('session', String(decodeJwt(access).sid));
        break;
      case 'credential':
        await revoke('credential', `${asker.id}/${asker.key?.thumbprint}`);
        break;
      case 'disabled user':
        await users.disable(other.id, 'admin');
        await users.enable(other.id, 'admin');
        break;
      case 'removed user':
        await users.remove(other.id, 'admin');
        break;
      case 'quarantine':
        await agents.quarantine(asker.id, null, 'admin');
        await agents.release(asker.id, 'admin');
        break;
      case 'removed agent':
        await agents.remove(asker.id, 'admin');
        break;
      case 'new owner':
        await agents.update(asker.id, { owner: 'somebody else' }, 'admin');
        break;
    }
    expect(await asker.isLive(access)).toBe(false);
    expect((await asker.refresh(refresh)).status).toBeGreaterThanOrEqual(400);
    const [grant] = await bench.room.personGrants.list({
      agentId: asker.id,
      liveOnly: false,
      after: null,
      limit: 9,
    });
    expect(grant).toMatchObject({ status: 'ended', userId: other.id });
    expect(bench.eventsOf('grant.ended').some(({ data }) => data.id === grant?.id)).toBe(true);
  });

  test('an administrator ends one of them, and the others go on', async () => {
    const [one, two] = [await agent.tokens(person), await agent.tokens(person)];
    const list = await bench.room.personGrants.list({
      agentId: agent.id,
      liveOnly: true,
      after: null,
      limit: 9,
    });
    expect(list).toHaveLength(2);
    const [newest] = list;
    const ended = await bench.room.personGrants.end(String(newest?.id), 'admin', 'laptop lost');
    expect(ended).toMatchObject({ status: 'ended', endedBy: 'admin', endReason: 'laptop lost' });
    expect(await agent.isLive(two.access)).toBe(false);
    expect(await refused(agent.refresh(two.refresh))).toBe('invalid_grant');
    expect(await agent.isLive(one.access)).toBe(true);
    expect((await agent.refresh(one.refresh)).status).toBe(200);
    await expect(bench.room.personGrants.end(String(newest?.id), 'admin', null)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('an agent that loses its last key does not become one that needs none', async () => {
    const asker = await AskingAgent.register(bench);
    const code = await asker.code(person);
    await revoke('credential', `${asker.id}/${asker.key?.thumbprint}`);
    const bare = new AskingAgent(bench, asker.agent, null, asker.dpop);
    expect((await bare.redeem(code, { code_verifier: asker.verifier })).body.error).toBe('invalid_client');
  });

  test('a public client has no other grant', async () => {
    for (const grant_type of [
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:openid:params:grant-type:ciba',
    ]) {
      const { status } = await agent.send('/token', { grant_type });
      expect(status, grant_type).toBeGreaterThanOrEqual(400);
    }
    const rows = await bench.room.passports.list({
      agentId: agent.id,
      liveOnly: false,
      after: null,
      limit: 9,
    });
    expect(rows).toEqual([]);
  });
});
