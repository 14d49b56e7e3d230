import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Refusal, type RevocationKind } from '../../../src/core/index.ts';
import type { PassportRoom, VerifiedPassport } from '../../../src/passport/index.ts';
import { type Bench, openBench, TestAgent } from './support.ts';

let bench: Bench;
let agent: TestAgent;
let owner: string;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(async () => {
  owner = `owner-${randomUUID()}`;
  agent = await TestAgent.register(bench, { owner });
});
afterAll(() => bench.close());

async function verify(token: string, o: { room?: PassportRoom; by?: TestAgent } = {}) {
  return (o.room ?? bench.room).verifier.verify(await (o.by ?? agent).present(token), Date.now());
}

async function outcome(token: string, o: { room?: PassportRoom; by?: TestAgent } = {}): Promise<string> {
  try {
    await verify(token, o);
    return 'accepted';
  } catch (refusal) {
    return refusal instanceof Refusal ? refusal.code : String(refusal);
  }
}

function revoke(kind: RevocationKind, value: string) {
  return bench.room.revocations.revoke({ tenant: 'default', kind, value, by: 'admin', reason: 'a test' });
}

function named(kind: RevocationKind, passport: VerifiedPassport): string {
  switch (kind) {
    case 'token':
      return passport.jti;
    case 'hop':
      return passport.subject.chain[0] ?? '';
    case 'session':
      return passport.subject.sid;
    case 'agent':
      return passport.subject.agentId;
    case 'owner':
      return passport.subject.owner;
    case 'user':
      return passport.subject.user ?? 'nobody';
    case 'credential':
    case 'key':
      throw new Error('tested in delegation.test.ts');
  }
}

describe('a revocation', () => {
  test.each([
    ['token', 'passport_revoked', 'may renew'],
    ['hop', 'passport_revoked', 'may renew'],
    ['session', 'passport_revoked', 'may not renew'],
    ['agent', 'agent_quarantined', 'may not renew'],
    ['owner', 'agent_quarantined', 'may not renew'],
  ] as const)('by %s ends the passport at once: %s; the agent %s', async (kind, code, renewal) => {
    const token = await agent.passport();
    const passport = await verify(token);
    await revoke(kind, named(kind, passport));
    expect(await outcome(token)).toBe(code);
    expect(() => bench.room.verifier.recheck(passport, Date.now())).toThrow(
      expect.objectContaining({ code }),
    );
    const { status, body } = await agent.request();
    expect(status === 200).toBe(renewal === 'may renew');
    if (status !== 200) expect(['invalid_client', 'invalid_grant']).toContain(body.error);
    const records = bench.eventsOf('passport.revoked').map(({ data }) => data);
    expect(records).toContainEqual(expect.objectContaining({ kind, by: 'admin' }));
  });

  test('of one agent leaves another owner’s agents alone', async () => {
    const other = await TestAgent.register(bench, { owner: 'bob' });
    const token = await other.passport();
    await revoke('agent', agent.id);
    await revoke('owner', owner);
    expect(await outcome(token, { by: other })).toBe('accepted');
    expect((await other.request()).status).toBe(200);
  });

  test('survives a restart, also for a passport that was never seen since', async () => {
    const token = await agent.passport();
    const { jti = '' } = decodeJwt(token);
    await revoke('token', jti);
    await bench.restart();
    expect(await outcome(token)).toBe('passport_revoked');
  });

  test('by one node holds on another at once', async () => {
    const node = await bench.openNode();
    const token = await agent.passport();
    const passport = await verify(token, { room: node });
    await revoke('agent', agent.id);
    await expect.poll(() => outcome(token, { room: node })).toBe('agent_quarantined');
    expect(() => node.verifier.recheck(passport, Date.now())).toThrow(Refusal);
  });

  test('tells its listeners which passports it hits, once', async () => {
    const mine = await verify(await agent.passport());
    const bystander = await TestAgent.register(bench, { owner: 'bob' });
    const other = await verify(await bystander.passport(), { by: bystander });
    const heard: boolean[][] = [];
    const stop = bench.room.revocations.onRevoked((matches) => heard.push([matches(mine), matches(other)]));
    await revoke('session', mine.subject.sid);
    expect(heard).toEqual([[true, false]]);
    stop();
    await revoke('token', mine.jti);
    expect(heard).toHaveLength(1);
  });

  test('of an unknown passport or agent is not_found, and nothing is recorded', async () => {
    const events = bench.events.length;
    const listed = () => bench.room.revocations.list({ after: null, limit: 100 });
    const before = await listed();
    await expect(revoke('token', 'jti_unknown')).rejects.toMatchObject({ code: 'not_found' });
    await expect(revoke('agent', 'agent_unknown')).rejects.toMatchObject({ code: 'not_found' });
    await expect(revoke('session', '')).rejects.toMatchObject({ code: 'input_invalid' });
    expect(bench.events).toHaveLength(events);
    expect(await listed()).toEqual(before);
  });

  test('that can not be audited holds all the same, and says so', async () => {
    const token = await agent.passport();
    const node = await bench.openNode({
      audit: async () => {
        throw new Refusal('audit_unavailable');
      },
    });
    const { jti = '' } = decodeJwt(token);
    const request = { tenant: 'default', kind: 'token', value: jti, by: 'admin', reason: null } as const;
    await expect(node.revocations.revoke(request)).rejects.toMatchObject({ code: 'audit_unavailable' });
    expect(await outcome(token, { room: node })).toBe('passport_revoked');
  });
});

describe('quarantine', () => {
  test('stops issuance and live passports; release lets new ones through and keeps the old ones dead', async () => {
    const token = await agent.passport();
    await bench.room.agents.quarantine(agent.id, 'a decoy was touched', 'detector');
    expect(await outcome(token)).toBe('agent_quarantined');
    expect((await agent.request()).body.error).toBe('invalid_client');
    await bench.room.agents.release(agent.id, 'admin');
    expect(await outcome(token)).toBe('passport_revoked');
    expect(await outcome(await agent.passport())).toBe('accepted');
    const types = bench.events.map(({ type }) => type);
    expect(types).toContain('agent.quarantined');
    expect(types).toContain('agent.released');
  });

  test('is seen by another node', async () => {
    const node = await bench.openNode();
    const token = await agent.passport();
    expect(await outcome(token, { room: node })).toBe('accepted');
    await bench.room.agents.quarantine(agent.id, null, 'admin');
    await expect.poll(() => outcome(token, { room: node })).toBe('agent_quarantined');
  });

  test('of an agent while it asks for twenty passports leaves none of them alive', async () => {
    const asking = Array.from({ length: 20 }, () => agent.request());
    await bench.room.agents.quarantine(agent.id, null, 'admin');
    const answers = await Promise.all(asking);
    for (const { status, body } of answers) {
      if (status === 200) expect(await outcome(String(body.access_token))).toBe('agent_quarantined');
    }
    await bench.room.agents.release(agent.id, 'admin');
    for (const { status, body } of answers) {
      if (status === 200) expect(await outcome(String(body.access_token))).toBe('passport_revoked');
    }
  });
});

describe('RFC 7009 and RFC 7662 endpoints', () => {
  test('an agent may end its own passport, and the gateway and introspection agree', async () => {
    const token = await agent.passport();
    expect((await agent.ask('/introspect', { token })).body.active).toBe(true);
    expect((await agent.ask('/revoke', { token })).status).toBe(200);
    expect((await agent.ask('/introspect', { token })).body).toEqual({ active: false });
    expect(await outcome(token)).toBe('passport_revoked');
    expect((await agent.ask('/revoke', { token })).status).toBe(200);
  });

  test('an agent may neither end nor see another one’s passport', async () => {
    const other = await TestAgent.register(bench);
    const token = await agent.passport();
    const refused = await other.ask('/revoke', { token });
    expect([refused.status, refused.body.error]).toEqual([400, 'unauthorized_client']);
    expect(bench.eventsOf('passport.refused').at(-1)?.data).toMatchObject({
      clientId: other.id,
      error: 'unauthorized_client',
    });
    expect((await other.ask('/introspect', { token })).body).toEqual({ active: false });
    expect(await outcome(token)).toBe('accepted');
  });

  test('a client with the introspection right sees every passport of the tenant', async () => {
    const server = await TestAgent.register(bench, { scopes: ['introspect'] });
    const token = await agent.passport();
    const { body } = await server.ask('/introspect', { token });
    expect(body).toMatchObject({
      active: true,
      client_id: agent.id,
      owner,
      token_type: 'DPoP',
      cnf: { jkt: agent.dpop.thumbprint },
    });
    const refused = await server.ask('/revoke', { token });
    expect(refused.body.error).toBe('unauthorized_client');
  });

  test('without client authentication both refuse a good passport', async () => {
    const token = await agent.passport();
    for (const path of ['/revoke', '/introspect']) {
      const answer = await fetch(`${bench.issuer}${path}`, {
        method: 'POST',
        body: new URLSearchParams({ token, client_id: agent.id }),
      });
      expect(answer.status).toBe(401);
      expect((await answer.json()).error).toBe('invalid_client');
    }
    expect(await outcome(token)).toBe('accepted');
  });

  test.each(['nonsense', 'a.b.c', '', `${'A'.repeat(9_000)}.A.A`, 'eyJhbGciOiJub25lIn0.e30.'])(
    'a token that is none of ours (%.20s) is inactive, and to revoke it is no error',
    async (token) => {
      const seen = await agent.ask('/introspect', { token });
      const ended = await agent.ask('/revoke', { token });
      if (token === '') expect([seen.status, ended.status]).toEqual([400, 400]);
      else {
        expect([seen.status, seen.body]).toEqual([200, { active: false }]);
        expect(ended.status).toBe(200);
      }
    },
  );

  test('the passport of a quarantined agent is inactive', async () => {
    const server = await TestAgent.register(bench, { scopes: ['introspect'], owner: 'operations' });
    const token = await agent.passport();
    await bench.room.agents.quarantine(agent.id, null, 'admin');
    expect((await server.ask('/introspect', { token })).body).toEqual({ active: false });
    expect((await agent.ask('/introspect', { token })).status).toBe(401);
  });
});
