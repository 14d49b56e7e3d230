import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RevocationKind } from '../../src/core/index.ts';
import { parseStatusList } from '../../src/proof/index.ts';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { GateClient } from '../support/gate-client.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';
import { ASSERTION_TYPE, TestAgent } from '../unit/passport/support.ts';

/** Each kind of revocation, and everything that a passport was good for the moment before. */

const POLICY = `
@id("held")
@hold("Deleting needs a person.")
permit (principal, action == Action::"http.call", resource == Service::"plain")
when { context.method == "DELETE" };

@id("twice")
@hold("Money moves.")
@approvers("2")
permit (principal, action == Action::"http.call", resource == Service::"plain")
when { context.method == "PUT" };
`;

let gate: RealGate;
let upstream: EchoUpstream;
let server: TestAgent;
beforeAll(async () => {
  upstream = await openEchoUpstream();
  gate = await openRealGate({ policy: POLICY });
  const origins = [`http://plain.example:${upstream.port}`];
  await gate.services.put({ name: 'plain', origins, credential: null, allowPrivate: true }, 'admin');
  server = await TestAgent.register(gate.bench, { scopes: ['introspect'], owner: 'operations' });
});
afterAll(async () => {
  await gate?.close();
  upstream?.close();
});

const SCOPES = ['plain:read', 'plain:write'];
/** Of the passports of this agent the kind is named by what the claims say. */
const VALUES: Readonly<Record<RevocationKind, (claims: Record<string, unknown>) => unknown>> = {
  token: ({ jti }) => jti,
  hop: ({ chain }) => (chain as string[]).at(-1),
  session: ({ sid }) => sid,
  agent: ({ client_id }) => client_id,
  owner: ({ owner }) => owner,
  user: ({ sub }) => sub,
  credential: ({ client_id, credential }) => `${client_id}/${credential}`,
  key: ({ kid }) => kid,
};

const approve = (id: unknown, by = 'admin') =>
  gate.approvals.decide({ tenant: 'default', id: String(id), status: 'approved', by, reason: null });

async function introspect(token: string, accept: string): Promise<unknown> {
  const form = {
    token,
    client_assertion_type: ASSERTION_TYPE,
    client_assertion: await server.assertion(),
  };
  const answer = await fetch(`${gate.bench.issuer}/introspect`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { accept },
  });
  const text = await answer.text();
  return accept === 'application/json' ? JSON.parse(text) : decodeJwt(text).token_introspection;
}

async function statusOf(token: string): Promise<number> {
  const { uri, idx } = (decodeJwt(token).status as { status_list: { uri: string; idx: number } }).status_list;
  const list = decodeJwt(await (await fetch(uri)).text()).status_list;
  return (await parseStatusList(list as never)).at(idx);
}

describe('a revocation', () => {
  test.each([
    ['token', 'may go on'],
    ['hop', 'may go on'],
    ['session', 'has lost its key'],
    ['agent', 'is quarantined'],
    ['owner', 'is quarantined'],
    ['credential', 'has lost its key'],
    // Last: it ends all that the others might still have.
    ['key', 'may go on'],
  ] as const)('by %s ends all of it, and the agent %s', async (kind, after) => {
    const owner = `owner-${kind}`;
    const planner = await TestAgent.register(gate.bench, { scopes: SCOPES, owner });
    const worker = await TestAgent.register(gate.bench, { scopes: SCOPES, owner });
    const token = await planner.passport({ may_act: worker.id });
    const child = String((await worker.exchange(token)).body.access_token);
    const clients = [
      GateClient.with(planner, gate.gateway.port, token),
      GateClient.with(worker, gate.gateway.port, child),
    ];
    const approvals: string[] = [];
    for (const client of clients) {
      expect((await client.ask('/s/plain/a')).status).toBe(200);
      const held = await client.ask('/s/plain/thing', { method: 'DELETE' });
      expect(held.json.code).toBe('approval_required');
      approvals.push(String((await approve(held.json.approvalId)).id));
    }
    expect([await statusOf(token), await statusOf(child)]).toEqual([0, 0]);
    const streams = await Promise.all(clients.map((client) => client.open('/s/plain/stream')));
    const cut = streams.map(
      (stream) =>
        new Promise((resolve) =>
          stream
            .on('error', () => undefined)
            .once('close', resolve)
            .resume(),
        ),
    );

    const [header = ''] = token.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const value = String(VALUES[kind]({ ...decodeJwt(token), kid }));
    await gate.bench.room.revocations.revoke({ tenant: 'default', kind, value, by: 'admin', reason: null });

    for (const client of clients) {
      const { status, json } = await client.ask('/s/plain/a');
      expect([401, 403]).toContain(status);
      expect(['passport_revoked', 'agent_quarantined', 'passport_invalid']).toContain(json.code);
    }
    await Promise.all(cut);
    for (const dead of [token, child]) {
      expect(await introspect(dead, 'application/json')).toEqual({ active: false });
      expect(await introspect(dead, 'application/token-introspection+jwt')).toEqual({ active: false });
      // A list is signed with a key that is left; those of a key that is gone can't be verified any more anyway.
      expect(await statusOf(dead)).toBe(1);
    }
    const exchanged = await worker.exchange(token);
    expect([400, 401]).toContain(exchanged.status);
    expect(exchanged.body.access_token).toBeUndefined();

    for (const id of approvals) {
      expect(await gate.approvals.get('default', id)).toMatchObject({ status: 'denied', decidedBy: 'admin' });
    }
    const denied = (await gate.eventsOf('approval.denied')).map(({ approvalId }) => approvalId);
    expect(denied).toEqual(expect.arrayContaining(approvals));
    const renewed = await planner.request();
    expect(renewed.status === 200).toBe(after === 'may go on');
    if (renewed.status !== 200) return;
    // What was approved for the passport before is not approved for the next one of the session.
    const next = GateClient.with(planner, gate.gateway.port, String(renewed.body.access_token));
    const again = await next.ask('/s/plain/thing', { method: 'DELETE' });
    expect(again.json).toMatchObject({ code: 'approval_required' });
    expect(again.json.approvalId).not.toBe(approvals[0]);
  });

  test('leaves the approvals of others alone', async () => {
    const mine = await TestAgent.register(gate.bench, { scopes: SCOPES, owner: 'mine' });
    const client = await GateClient.of(mine, gate.gateway.port);
    const held = await client.ask('/s/plain/thing', { method: 'DELETE' });
    await approve(held.json.approvalId);
    const other = await TestAgent.register(gate.bench, { scopes: SCOPES, owner: 'other' });
    await gate.bench.room.agents.quarantine(other.id, null, 'admin');
    expect((await client.ask('/s/plain/thing', { method: 'DELETE' })).status).toBe(200);
  });
});

test('a call that policy wants two people for passes after the second yes, once', async () => {
  const agent = await TestAgent.register(gate.bench, { scopes: SCOPES, owner: 'mine' });
  const client = await GateClient.of(agent, gate.gateway.port);
  const pay = () => client.ask('/s/plain/pay', { method: 'PUT', body: 'ten' });
  const held = await pay();
  expect(held).toMatchObject({
    status: 403,
    json: { code: 'approval_required', approversNeeded: 2, approversGiven: 0 },
  });
  await approve(held.json.approvalId, 'anna');
  expect((await pay()).json).toMatchObject({
    approvalId: held.json.approvalId,
    approversGiven: 1,
  });
  await expect(approve(held.json.approvalId, 'anna')).rejects.toMatchObject({ code: 'conflict' });
  await approve(held.json.approvalId, 'bert');
  expect((await client.ask('/s/plain/pay', { method: 'PUT', body: 'ten thousand' })).json.code).toBe(
    'approval_required',
  );
  const answers = await Promise.all(Array.from({ length: 20 }, pay));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
});
