import { randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Refusal } from '../../../src/core/index.ts';
import { type Bench, GATE, makeProof, newKey, openBench, TestAgent } from './support.ts';

let bench: Bench;
let planner: TestAgent;
let worker: TestAgent;
let stranger: TestAgent;
beforeAll(async () => {
  bench = await openBench();
  [planner, worker, stranger] = await Promise.all([
    TestAgent.register(bench, { name: 'planner', purpose: 'plans' }),
    TestAgent.register(bench, { name: 'worker', purpose: 'works' }),
    TestAgent.register(bench, { name: 'stranger', owner: 'bob@example.com' }),
  ]);
});
afterAll(() => bench.close());

/** A passport of the planner that the worker may exchange. */
const passedOn = (form: Record<string, string> = {}) => planner.passport({ may_act: worker.id, ...form });

function tokenOf({ status, body }: { status: number; body: Record<string, unknown> }): string {
  if (status !== 200 || typeof body.access_token !== 'string') {
    throw new Error(`not issued: ${status} ${JSON.stringify(body)}`);
  }
  return body.access_token;
}

async function outcome(agent: TestAgent, token: string): Promise<string> {
  try {
    await bench.room.verifier.verify(await agent.present(token), bench.clock.now());
    return 'accepted';
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    return refusal.code;
  }
}

const issuedCount = () => bench.eventsOf('passport.issued').length;

/** Refused with this error, and nothing was issued. */
async function expectRefused(
  answer: () => Promise<{ status: number; body: Record<string, unknown> }>,
  error: string,
): Promise<void> {
  const before = issuedCount();
  const { status, body } = await answer();
  expect({ error: body.error, issued: body.access_token }).toEqual({ error, issued: undefined });
  expect(status).toBeGreaterThanOrEqual(400);
  expect(issuedCount()).toBe(before);
}

describe('an exchanged passport', () => {
  test('keeps sub, names the new actor, and shrinks to what was asked for', async () => {
    const parent = await passedOn();
    const answer = await worker.exchange(parent, { form: { scope: 'github:read', audience: GATE } });
    expect(answer.body).toMatchObject({
      token_type: 'DPoP',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      scope: 'github:read',
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const token = tokenOf(answer);
    const [was, is] = [decodeJwt(parent), decodeJwt(token)];
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
    expect(is).toMatchObject({
      sub: planner.id,
      client_id: worker.id,
      act: { sub: worker.id },
      aud: GATE,
      scope: 'github:read',
      sid: was.sid,
      owner: 'alice@example.com',
      purpose: 'works',
      cnf: { jkt: worker.dpop.thumbprint },
      chain: [...(was.chain as string[]), expect.stringMatching(/^hop_/)],
    });
    expect(is.may_act).toBeUndefined();
    expect(is.exp).toBeLessThanOrEqual(was.exp ?? 0);
    const { subject, ancestors } = await bench.room.verifier.verify(
      await worker.present(token),
      bench.clock.now(),
    );
    expect(subject).toMatchObject({ agentId: worker.id, user: null, sid: was.sid });
    expect(ancestors).toEqual([planner.id]);
    expect(bench.eventsOf('passport.issued').at(-1)?.data).toMatchObject({
      grant: 'token_exchange',
      parent: was.jti,
      lineage: [worker.id, planner.id],
    });
  });

  test('is bound to the new actor’s key: the old one’s is refused, and the parent stays the old one’s', async () => {
    const parent = await passedOn();
    const token = tokenOf(await worker.exchange(parent));
    expect(await outcome(worker, token)).toBe('accepted');
    expect(await outcome(planner, token)).toBe('passport_invalid');
    expect(await outcome(planner, parent)).toBe('accepted');
    expect(await outcome(worker, parent)).toBe('passport_invalid');
  });

  test('says in introspection who acts, as the gateway sees it', async () => {
    const token = tokenOf(await worker.exchange(await passedOn()));
    const { body } = await worker.ask('/introspect', { token });
    expect(body).toMatchObject({
      active: true,
      sub: planner.id,
      client_id: worker.id,
      act: { sub: worker.id },
    });
    expect((await planner.ask('/introspect', { token })).body).toEqual({ active: false });
  });

  test('by a proof of the subject token’s key needs no may_act, and holds no more than the proof says', async () => {
    const parent = await planner.passport();
    const proof = () => planner.passOn(parent, worker.id, { scope: 'github:read', max_depth: 1 });
    const answer = await worker.exchange(parent, { form: { subject_proof: await proof() } });
    expect(answer.body.scope).toBe('github:read');
    expect(decodeJwt(tokenOf(answer)).max_depth).toBe(1);
    const more = { subject_proof: await proof(), scope: 'github:read github:write' };
    await expectRefused(() => worker.exchange(parent, { form: more }), 'invalid_scope');
  });

  test('lives no longer than asked for, and never longer than its parent', async () => {
    const parent = await passedOn({ requested_lifetime: '60' });
    const { iat = 0, exp = 0 } = decodeJwt(parent);
    expect(exp - iat).toBe(60);
    const long = decodeJwt(tokenOf(await worker.exchange(parent, { form: { requested_lifetime: '3600' } })));
    expect(long.exp).toBe(exp);
    const short = decodeJwt(tokenOf(await worker.exchange(parent, { form: { requested_lifetime: '5' } })));
    expect((short.exp ?? 0) - (short.iat ?? 0)).toBe(5);
  });

  test('comes with a nonce where one is asked for', async () => {
    const strict = await openBench({ nonce: true });
    const one = await TestAgent.register(strict);
    const refused = await one.exchange('x');
    expect(refused.body.error).toBe('use_dpop_nonce');
    const nonce = refused.headers.get('dpop-nonce') ?? '';
    const proof = await makeProof(one.dpop, {
      htm: 'POST',
      htu: `${strict.issuer}/token`,
      claims: { nonce },
    });
    expect((await one.exchange('x', { proof })).body.error).toBe('invalid_grant');
    await strict.close();
  });
});

describe('an exchange is refused, and nothing is issued,', () => {
  const now = () => Math.floor(Date.now() / 1000);
  test.each<[string, string, () => Promise<Record<string, string>>]>([
    ['without a subject token', 'invalid_request', async () => ({ subject_token: '' })],
    ['for a subject token of another type', 'invalid_request', async () => ({ subject_token_type: 'urn:x' })],
    ['when another type is asked for', 'invalid_request', async () => ({ requested_token_type: 'urn:x' })],
    ['for a text that is no token', 'invalid_grant', async () => ({ subject_token: 'nonsense' })],
    ['for a huge text', 'invalid_grant', async () => ({ subject_token: 'x'.repeat(9_000) })],
    ['with an act of its own', 'invalid_request', async () => ({ act: '{"sub":"root"}' })],
    ['with a sub of its own', 'invalid_request', async () => ({ sub: 'root' })],
    ['with a chain of its own', 'invalid_request', async () => ({ chain: 'hop_x' })],
    ['for a scope that the parent lacks', 'invalid_scope', async () => ({ scope: 'github:admin' })],
    ['for a scope with a tab', 'invalid_scope', async () => ({ scope: 'github:read\tgithub:write' })],
    ['for another audience', 'invalid_target', async () => ({ audience: 'https://other.example' })],
    ['for another resource', 'invalid_target', async () => ({ resource: 'https://other.example' })],
    ['for an audience that looks alike', 'invalid_target', async () => ({ audience: `${GATE}/` })],
    [
      'for details that can’t be read',
      'invalid_authorization_details',
      async () => ({ authorization_details: '{' }),
    ],
    [
      'for details with a member twice',
      'invalid_authorization_details',
      async () => ({ authorization_details: '[{"type":"tool_call","tool":"a","tool":"b"}]' }),
    ],
    ['with an actor type without a token', 'invalid_request', async () => ({ actor_token_type: 'urn:x' })],
    ['with another one’s actor token', 'invalid_grant', async () => actorToken(await planner.passport())],
    ['for a depth below what there is', 'invalid_grant', async () => ({ max_depth: '0' })],
    ['for a depth that is no number', 'invalid_request', async () => ({ max_depth: '-1' })],
    ['with a may_act that nobody is', 'invalid_request', async () => ({ may_act: 'agent_nobody' })],
    ['with a may_act that is itself', 'invalid_request', async () => ({ may_act: worker.id })],
    ['with a lifetime of nothing', 'invalid_request', async () => ({ requested_lifetime: '0' })],
  ])('%s: %s', async (_what, error, change) => {
    const parent = await passedOn();
    const form = await change();
    await expectRefused(() => worker.exchange(parent, { form }), error);
  });

  test('by an agent that may_act does not name', async () => {
    const parent = await planner.passport({ may_act: stranger.id });
    await expectRefused(() => worker.exchange(parent), 'invalid_grant');
    const silent = await planner.passport();
    await expectRefused(() => worker.exchange(silent), 'invalid_grant');
  });

  test('by an agent of another owner, though may_act names it', async () => {
    const parent = await planner.passport({ may_act: stranger.id });
    await expectRefused(() => stranger.exchange(parent), 'invalid_grant');
  });

  test.each<[string, (token: string) => Promise<string>]>([
    ['for another actor', (token) => planner.passOn(token, stranger.id)],
    ['about another token', async () => planner.passOn(await planner.passport(), worker.id)],
    ['for another issuer', (token) => planner.passOn(token, worker.id, { aud: 'https://other.example' })],
    ['from an hour ago', (token) => planner.passOn(token, worker.id, { iat: now() - 3600 })],
    ['from the future', (token) => planner.passOn(token, worker.id, { iat: now() + 3600 })],
    ['without a jti', (token) => planner.passOn(token, worker.id, { jti: '' })],
    ['by another key', (token) => worker.passOn(token, worker.id)],
    [
      'that is a DPoP proof',
      (token) => makeProof(planner.dpop, { htm: 'POST', htu: bench.issuer, accessToken: token }),
    ],
    ['whose time is over', (token) => planner.passOn(token, worker.id, { not_after: now() - 1 })],
    ['that allows no further hop', (token) => planner.passOn(token, worker.id, { max_depth: 0 })],
    ['that is no JWT', async () => 'nonsense'],
  ])('with a subject_proof %s', async (_what, make) => {
    const parent = await planner.passport();
    const subject_proof = await make(parent);
    await expectRefused(() => worker.exchange(parent, { form: { subject_proof } }), 'invalid_grant');
  });

  test('without or with a bad proof of the new key', async () => {
    const parent = await passedOn();
    await expectRefused(() => worker.exchange(parent, { proof: null }), 'invalid_grant');
    const elsewhere = await makeProof(worker.dpop, { htm: 'POST', htu: `${bench.issuer}/revoke` });
    await expectRefused(() => worker.exchange(parent, { proof: elsewhere }), 'invalid_dpop_proof');
    await expectRefused(() => worker.exchange(parent, { proof: 'x' }), 'invalid_dpop_proof');
  });

  test('by a client that did not authenticate', async () => {
    const parent = await passedOn();
    await expectRefused(() => worker.exchange(parent, { form: { client_assertion: '' } }), 'invalid_client');
    await expectRefused(() => worker.exchange(parent, { assertion: 'x' }), 'invalid_client');
    const other = await newKey();
    const thief = new TestAgent(bench, worker.id, other, worker.dpop);
    await expectRefused(() => thief.exchange(parent), 'invalid_client');
    const late = await worker.assertion({ exp: 1_000 });
    await expectRefused(() => worker.exchange(parent, { assertion: late }), 'invalid_client');
    const misdirected = await worker.assertion({ aud: 'https://other.example' });
    await expectRefused(() => worker.exchange(parent, { assertion: misdirected }), 'invalid_client');
    const early = await worker.assertion({ nbf: now() + 300 });
    await expectRefused(() => worker.exchange(parent, { assertion: early }), 'invalid_client');
  });

  test('when an actor is in the chain already, at any place', async () => {
    const [one, two] = [await TestAgent.register(bench), await TestAgent.register(bench)];
    const root = await planner.passport({ may_act: one.id });
    const first = tokenOf(await one.exchange(root, { form: { may_act: two.id } }));
    const back = await two.passOn(tokenOf(await two.exchange(first)), one.id);
    expect(back).not.toBe('');
    const second = tokenOf(await two.exchange(first));
    for (const again of [planner, one]) {
      const subject_proof = await two.passOn(second, again.id);
      await expectRefused(() => again.exchange(second, { form: { subject_proof } }), 'invalid_grant');
    }
  });

  test('beyond the depth that the root allowed', async () => {
    const [one, two] = [await TestAgent.register(bench), await TestAgent.register(bench)];
    const root = await planner.passport({ may_act: one.id, max_depth: '1' });
    // A deeper one is asked for and not given.
    const first = tokenOf(await one.exchange(root, { form: { may_act: two.id, max_depth: '5' } }));
    expect(decodeJwt(first).max_depth).toBe(1);
    await expectRefused(() => two.exchange(first), 'invalid_grant');
  });

  test('with a scope that is not registered for the actor, whatever the parent has', async () => {
    const narrow = await TestAgent.register(bench, { scopes: ['npm:read', 'github:read'] });
    const parent = await planner.passport({ may_act: narrow.id });
    await expectRefused(() => narrow.exchange(parent, { form: { scope: 'github:write' } }), 'invalid_scope');
    await expectRefused(() => narrow.exchange(parent, { form: { scope: 'npm:read' } }), 'invalid_scope');
    expect((await narrow.exchange(parent)).body.scope).toBe('github:read');
    const none = await TestAgent.register(bench, { scopes: ['npm:read'] });
    const other = await planner.passport({ may_act: none.id });
    await expectRefused(() => none.exchange(other), 'invalid_scope');
  });

  test('of a parent that has expired', async () => {
    const parent = await passedOn();
    bench.clock.aheadMs = 301_000;
    await expectRefused(async () => worker.exchange(parent, await inFuture(worker)), 'invalid_grant');
    bench.clock.aheadMs = 0;
  });
});

describe('twenty at once', () => {
  test('with one proof and one assertion: exactly one passport', async () => {
    const parent = await passedOn();
    const assertion = await worker.assertion();
    const proof = await makeProof(worker.dpop, { htm: 'POST', htu: `${bench.issuer}/token` });
    await expectOne(() => worker.exchange(parent, { assertion, proof }));
  });

  test('with one subject_proof, each with a proof and an assertion of its own: exactly one passport', async () => {
    const parent = await planner.passport();
    const subject_proof = await planner.passOn(parent, worker.id);
    await expectOne(() => worker.exchange(parent, { form: { subject_proof } }));
  });

  test('one assertion at this grant and at another: exactly one passport', async () => {
    const parent = await passedOn();
    const assertion = await worker.assertion();
    const [one, other] = [await worker.exchange(parent, { assertion }), await worker.request({ assertion })];
    expect([one.status, other.status].sort()).toEqual([200, 401]);
  });

  test('one DPoP proof at this grant and at another: exactly one passport', async () => {
    const parent = await passedOn();
    const proof = await makeProof(worker.dpop, { htm: 'POST', htu: `${bench.issuer}/token` });
    const [one, other] = [await worker.request({ proof }), await worker.exchange(parent, { proof })];
    expect([one.status, other.status].sort()).toEqual([200, 400]);
  });

  test('a refused exchange uses nothing up', async () => {
    const parent = await passedOn();
    const assertion = await worker.assertion();
    const proof = await makeProof(worker.dpop, { htm: 'POST', htu: `${bench.issuer}/token` });
    const wrong = await worker.exchange(parent, { assertion, proof, form: { scope: 'github:admin' } });
    expect(wrong.body.error).toBe('invalid_scope');
    expect((await worker.exchange(parent, { assertion, proof })).status).toBe(200);
  });
});

async function expectOne(request: () => Promise<{ status: number }>): Promise<void> {
  const before = issuedCount();
  const answers = await Promise.all(Array.from({ length: 20 }, request));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(issuedCount()).toBe(before + 1);
}

function actorToken(token: string): Record<string, string> {
  return { actor_token: token, actor_token_type: 'urn:ietf:params:oauth:token-type:access_token' };
}

/** Assertion and proof by the bench's clock. */
async function inFuture(agent: TestAgent) {
  const iat = Math.floor(bench.clock.now() / 1000);
  return {
    assertion: await agent.assertion({ iat, exp: iat + 60 }),
    proof: await makeProof(agent.dpop, {
      htm: 'POST',
      htu: `${bench.issuer}/token`,
      claims: { iat, jti: randomUUID() },
    }),
  };
}
