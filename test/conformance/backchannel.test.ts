import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import * as openid from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Approvals } from '../../src/approvals/index.ts';
import { Refusal } from '../../src/core/index.ts';
import { noticeSender } from '../../src/gateway/index.ts';
import type { PassportRoom } from '../../src/passport/index.ts';
import {
  ASSERTION_TYPE,
  type Bench,
  GATE,
  makeAssertion,
  makeProof,
  newKey,
  openBench,
  post,
  TestAgent,
} from '../unit/passport/support.ts';

/** OpenID Connect Client-Initiated Backchannel Authentication 1.0, in the modes poll and ping. */

const CIBA = 'urn:openid:params:grant-type:ciba';
const ALICE = { id: 'user_alice', name: 'alice' };
const TOKEN = 'a-visibly-fake-notification-token';

let bench: Bench;
let room: PassportRoom;
let approvals: Approvals;
let agent: TestAgent;
let pinged: TestAgent;
let disabled: boolean;
const pings: { readonly authorization: string | undefined; readonly body: unknown }[] = [];
let answers: number[] = [];
const receiver = createServer((request, response) => {
  void readText(request).then((text) => {
    pings.push({ authorization: request.headers.authorization, body: JSON.parse(text) });
    const status = answers.shift() ?? 204;
    response.writeHead(status, status === 302 ? { location: 'http://169.254.169.254/' } : {}).end();
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/ready`;
  bench = await openBench();
  const { storage, clock, events } = bench;
  const audit = async (event: never) => void events.push(event);
  approvals = new Approvals({ store: storage.approvals, clock, audit: audit as never, lifetimeMs: 60_000 });
  room = await bench.openNode({
    backchannel: {
      approvals,
      approvers: 1,
      findUser: async (hint) => (!disabled && (hint === ALICE.id || hint === ALICE.name) ? ALICE : null),
      pings: true,
      notificationUrlOf: (name) => (name.startsWith('pinged') ? { url, allowPrivate: true } : null),
      notify: noticeSender({ clock, ownPorts: [] }),
    },
  });
  bench.serve(room);
});
beforeEach(async () => {
  bench.clock.aheadMs = 0;
  disabled = false;
  pings.length = 0;
  answers = [];
  agent = await TestAgent.register({ ...bench, room });
  pinged = await TestAgent.register(
    { ...bench, room },
    { name: `pinged-${crypto.randomUUID().slice(0, 8)}` },
  );
});
afterAll(async () => {
  receiver.close();
  await bench.close();
});

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

async function ask(form: Record<string, string> = {}, by = agent, assertion?: string) {
  return post(`${bench.issuer}/bc-authorize`, {
    form: {
      login_hint: 'alice',
      scope: 'openid github:read',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: assertion ?? (await assertionOf(by)),
      ...form,
    },
  });
}

async function asked(form: Record<string, string> = {}, by = agent) {
  const { status, body } = await ask(form, by);
  expect([status, body]).toEqual([200, expect.objectContaining({ auth_req_id: expect.any(String) })]);
  const [approval] = (await approvals.list('default', { after: null, limit: 500 })).slice(-1);
  return { id: String(body.auth_req_id), approval: String(approval?.id), body };
}

/** By the clock of the test. */
function assertionOf(by: TestAgent, claims: Record<string, unknown> = {}): Promise<string> {
  const iat = Math.floor(bench.clock.now() / 1000);
  return by.assertion({ iat, exp: iat + 60, ...claims });
}

async function redeem(id: string, by = agent, form: Record<string, string> = {}) {
  const claims = { iat: Math.floor(bench.clock.now() / 1000) };
  const proof = await makeProof(by.dpop, { htm: 'POST', htu: `${bench.identifier}/token`, claims });
  const assertion = await assertionOf(by);
  return by.request({ form: { grant_type: CIBA, auth_req_id: id, ...form }, proof, assertion });
}

const decide = (id: string, status: 'approved' | 'denied', by = 'admin') =>
  approvals.decide({ tenant: 'default', id, status, by, reason: status === 'denied' ? 'not today' : null });
const errorOf = async (answer: Promise<{ body: Record<string, unknown> }>) => (await answer).body.error;

describe('a passport in a person’s name', () => {
  test('openid-client asks, polls and gets it, bound to its key and for exactly what was shown', async () => {
    const config = await openid.discovery(
      new URL(bench.issuer),
      agent.id,
      undefined,
      openid.PrivateKeyJwt({ key: agent.key.privateKey, kid: agent.key.thumbprint }),
      { execute: [openid.allowInsecureRequests] },
    );
    expect(config.serverMetadata()).toMatchObject({
      backchannel_authentication_endpoint: `${bench.issuer}/bc-authorize`,
      backchannel_token_delivery_modes_supported: ['poll', 'ping'],
      backchannel_user_code_parameter_supported: false,
      grant_types_supported: expect.arrayContaining([CIBA]),
    });
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
    const answer = await openid.initiateBackchannelAuthentication(config, {
      login_hint: 'alice',
      scope: 'openid github:read',
      binding_message: 'order 7',
      requested_expiry: '30',
    });
    expect(answer).toMatchObject({ expires_in: 30, interval: 5 });
    const [waiting] = (await approvals.list('default', { status: 'pending', after: null, limit: 500 })).slice(
      -1,
    );
    expect(waiting).toMatchObject({
      agentId: agent.id,
      user: ALICE.id,
      shown: {
        kind: 'passport',
        user: 'alice',
        messageOfAgent: 'order 7',
        scope: 'github:read',
        audience: GATE,
      },
    });
    await decide(String(waiting?.id), 'approved');
    // It asks at once instead of after the five seconds.
    const polled = await openid.genericGrantRequest(
      config,
      CIBA,
      { auth_req_id: answer.auth_req_id },
      { DPoP },
    );
    const claims = decodeJwt(polled.access_token);
    expect(claims).toMatchObject({
      sub: ALICE.id,
      client_id: agent.id,
      act: { sub: agent.id },
      scope: 'github:read',
      cnf: { jkt: expect.any(String) },
    });
    expect(bench.eventsOf('passport.issued').at(-1)?.data).toMatchObject({ grant: 'ciba', user: ALICE.id });
    expect(bench.eventsOf('approval.used').at(-1)?.data.approvalId).toBe(waiting?.id);
  });

  test('is pending until somebody decides, and who asks too often has to slow down', async () => {
    const { id, approval } = await asked();
    expect(await errorOf(redeem(id))).toBe('authorization_pending');
    expect(await errorOf(redeem(id))).toBe('slow_down');
    bench.clock.aheadMs += 5_000;
    expect(await errorOf(redeem(id))).toBe('slow_down');
    bench.clock.aheadMs += 15_000;
    expect(await errorOf(redeem(id))).toBe('authorization_pending');
    await decide(approval, 'approved');
    expect((await redeem(id)).status).toBe(200);
  });

  test('is given once, to one of twenty that ask at the same moment', async () => {
    const { id, approval } = await asked();
    await decide(approval, 'approved');
    const got = await Promise.all(Array.from({ length: 20 }, () => redeem(id)));
    expect(got.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(got.flatMap(({ status, body }) => (status === 200 ? [] : [body.error])))).toEqual(
      new Set(['invalid_grant']),
    );
    expect(await errorOf(redeem(id))).toBe('invalid_grant');
  });

  test('has the details that were shown, and what the agent asks for at the token endpoint adds nothing', async () => {
    const details = JSON.stringify([{ type: 'tool_call', service: 'github', method: 'GET', max_calls: 2 }]);
    const { id, approval } = await asked({ authorization_details: details, requested_lifetime: '60' });
    expect((await approvals.get('default', approval))?.shown).toMatchObject({
      details: JSON.parse(details),
      lifetimeSeconds: 60,
    });
    await decide(approval, 'approved');
    const more = {
      scope: 'github:read github:write',
      requested_lifetime: '300',
      authorization_details: '[]',
    };
    const { authorization_details: _, ...growth } = more;
    const { body } = await redeem(id, agent, growth);
    const claims = decodeJwt(String(body.access_token));
    expect(claims).toMatchObject({ scope: 'github:read', authorization_details: JSON.parse(details) });
    expect(Number(claims.exp) - Number(claims.iat)).toBe(60);
  });

  test('passes as one of that person at the gateway, and ends with a revocation of the person', async () => {
    const { id, approval } = await asked();
    await decide(approval, 'approved');
    const token = String((await redeem(id)).body.access_token);
    const passport = await room.verifier.verify(await agent.present(token), Date.now());
    expect(passport.subject).toMatchObject({ user: ALICE.id, agentId: agent.id });
    const later = await asked();
    await decide(later.approval, 'approved');
    const request = { tenant: 'default', kind: 'user', value: ALICE.id, by: 'admin', reason: null } as const;
    await room.revocations.revoke(request);
    const shown = room.verifier.verify(await agent.present(token), Date.now());
    await expect(shown).rejects.toMatchObject({ code: 'passport_revoked' });
    // What was approved before is not approved any more.
    expect(await errorOf(redeem(later.id))).toBe('access_denied');
  });
});

describe('no passport', () => {
  test('after a no, after its time, and after the time between the yes and the request', async () => {
    const denied = await asked();
    await decide(denied.approval, 'denied');
    const { body } = await redeem(denied.id);
    expect(body).toMatchObject({ error: 'access_denied', error_description: 'not today' });
    const [late, unused] = [await asked({ requested_expiry: '10' }), await asked()];
    await decide(unused.approval, 'approved');
    bench.clock.aheadMs += 10_000;
    expect(await errorOf(redeem(late.id))).toBe('expired_token');
    await expect(decide(late.approval, 'approved')).rejects.toMatchObject({ code: 'approval_expired' });
    bench.clock.aheadMs += 5 * 60_000;
    expect(await errorOf(redeem(unused.id))).toBe('expired_token');
  });

  test('for another agent, another key of the agent, or an id that nobody was given', async () => {
    const { id, approval } = await asked();
    await decide(approval, 'approved');
    expect(await errorOf(redeem(id, pinged))).toBe('invalid_grant');
    expect(await errorOf(redeem('A'.repeat(43)))).toBe('invalid_grant');
    const second = await newKey();
    const known = (await room.agents.get(agent.id))?.jwks ?? [];
    const jwks = [...known, { ...second.publicJwk, kid: second.thumbprint }];
    await room.agents.update(agent.id, { jwks: JSON.parse(JSON.stringify(jwks)) }, 'admin');
    const assertion = await makeAssertion(second, { clientId: agent.id, audience: bench.identifier });
    const other = agent.request({ form: { grant_type: CIBA, auth_req_id: id }, assertion });
    expect(await errorOf(other)).toBe('invalid_grant');
    expect((await redeem(id)).status).toBe(200);
  });

  test('once the agent has lost the right, is quarantined, or the person may not sign in', async () => {
    const [one, two] = [await asked(), await asked()];
    await decide(one.approval, 'approved');
    await decide(two.approval, 'approved');
    disabled = true;
    expect(await errorOf(redeem(one.id))).toBe('access_denied');
    disabled = false;
    await room.agents.update(agent.id, { scopes: ['github:write'] }, 'admin');
    expect(['invalid_scope', 'access_denied']).toContain(await errorOf(redeem(one.id)));
    await room.agents.quarantine(agent.id, null, 'admin');
    expect(await errorOf(redeem(two.id))).toBe('invalid_client');
    await room.agents.release(agent.id, 'admin');
    expect(await errorOf(redeem(two.id))).toBe('access_denied');
  });

  test('without a proof of a key', async () => {
    const { id, approval } = await asked();
    await decide(approval, 'approved');
    const unbound = agent.request({ form: { grant_type: CIBA, auth_req_id: id }, proof: null });
    expect(await errorOf(unbound)).toBe('invalid_grant');
    expect((await redeem(id)).status).toBe(200);
  });
});

describe('a question', () => {
  test.each<[string, Record<string, string>, string]>([
    ['that names nobody', { login_hint: '' }, 'invalid_request'],
    ['that names somebody in two ways', { id_token_hint: 'x' }, 'invalid_request'],
    ['about an unknown person', { login_hint: 'mallory' }, 'unknown_user_id'],
    ['about an agent', { login_hint: 'agent_1' }, 'unknown_user_id'],
    ['with a scope that the agent does not have', { scope: 'aws:write' }, 'invalid_scope'],
    ['with a message of two lines', { binding_message: 'pay\nnothing' }, 'invalid_binding_message'],
    ['with a message of 101 characters', { binding_message: 'x'.repeat(101) }, 'invalid_binding_message'],
    ['with letters that run the other way', { binding_message: 'pay \u202e001' }, 'invalid_binding_message'],
    ['with an expiry of nothing', { requested_expiry: '0' }, 'invalid_request'],
    ['with an expiry that is no number', { requested_expiry: '1e3' }, 'invalid_request'],
    ['for another resource', { resource: 'https://elsewhere.example' }, 'invalid_target'],
    ['with a ping to nowhere', { client_notification_token: TOKEN }, 'invalid_request'],
    [
      'with details that are none',
      { authorization_details: '[{"type":"x"}]' },
      'invalid_authorization_details',
    ],
  ])('%s is refused, and nobody is asked', async (_, form, error) => {
    const before = (await approvals.list('default', { after: null, limit: 500 })).length;
    const { status, body } = await ask(form);
    expect([status, body.error]).toEqual([400, error]);
    expect(await approvals.list('default', { after: null, limit: 500 })).toHaveLength(before);
  });

  test('needs client authentication, and its assertion counts once, for twenty at the same moment', async () => {
    const unauthenticated = await post(`${bench.issuer}/bc-authorize`, {
      form: { login_hint: 'alice', client_id: agent.id },
    });
    expect([unauthenticated.status, unauthenticated.body.error]).toEqual([401, 'invalid_client']);
    const assertion = await agent.assertion({ aud: `${bench.issuer}/bc-authorize` });
    const made = await Promise.all(Array.from({ length: 20 }, () => ask({}, agent, assertion)));
    expect(made.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('of an agent that has asked ten times already has to wait', async () => {
    for (let at = 0; at < 10; at += 1) expect((await ask()).status).toBe(200);
    const eleventh = await ask();
    expect([eleventh.status, eleventh.body.error]).toEqual([429, 'temporarily_unavailable']);
    expect(Number(eleventh.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('a ping', () => {
  const withToken = { client_notification_token: TOKEN };

  test('comes once after a yes and after a no, with the token of the agent, and says no more than that', async () => {
    const [yes, no] = [await asked(withToken, pinged), await asked(withToken, pinged)];
    await decide(yes.approval, 'approved');
    await decide(no.approval, 'denied');
    await expect.poll(() => pings.length).toBe(2);
    expect(pings).toEqual(
      expect.arrayContaining(
        [yes.id, no.id].map((id) => ({ authorization: `Bearer ${TOKEN}`, body: { auth_req_id: id } })),
      ),
    );
    expect((await redeem(yes.id, pinged)).status).toBe(200);
    expect(await errorOf(redeem(no.id, pinged))).toBe('access_denied');
  });

  test('that did not arrive is sent again, and a redirect leads nowhere', async () => {
    answers = [302];
    const { id, approval } = await asked(withToken, pinged);
    await decide(approval, 'approved');
    await expect.poll(() => pings.length, { timeout: 5_000 }).toBe(2);
    expect((await redeem(id, pinged)).status).toBe(200);
  });

  test('needs a token that nobody guesses, and nothing of it is readable in the database', async () => {
    for (const token of ['', 'short', 'a b'.repeat(20), 'x'.repeat(1025)]) {
      expect(await errorOf(ask({ client_notification_token: token }, pinged))).toBe('invalid_request');
    }
    const { id, approval } = await asked(withToken, pinged);
    const row = JSON.stringify(await bench.storage.backchannel.byApproval('default', approval));
    expect(row).not.toContain(TOKEN);
    expect(row).not.toContain(id);
  });

  test('reaches no private address unless the administrator said so', async () => {
    const send = noticeSender({ clock: bench.clock, ownPorts: [], resolve: async () => ['10.0.0.1'] });
    const ping = { url: 'https://agent.example/ready', allowPrivate: false, id: 'x', token: TOKEN };
    const refused: unknown = await send(ping).catch((fault: unknown) => fault);
    expect(refused).toBeInstanceOf(Refusal);
    expect(refused).toMatchObject({ code: 'destination_private' });
  });
});
