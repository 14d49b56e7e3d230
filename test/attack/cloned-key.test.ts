import { decodeJwt, exportJWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Agent, KeyRatchet, type PrivateJwk, type RatchetKeys } from '../../src/sdk/index.ts';
import {
  type Bench,
  jwkOf,
  makeAssertion,
  newKey,
  openBench,
  TestAgent,
  type TestKey,
} from '../unit/passport/support.ts';

/** What a thief copies when he takes an agent's state: the key of the moment, and whose it is. */
interface Holder {
  current: TestKey;
}

let bench: Bench;
let agent: TestAgent;
let original: Holder;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());
beforeEach(async () => {
  const key = await newKey();
  const made = await bench.room.agents.register(
    {
      name: `ratchet-${key.thumbprint
        .slice(0, 8)
        .toLowerCase()
        .replace(/[^a-z0-9]/g, '0')}`,
      owner: 'alice@example.com',
      scopes: ['github:read'],
      jwks: [jwkOf(key)],
      ratchet: true,
    },
    'admin',
  );
  agent = new TestAgent(bench, made.agent.id, key, await newKey());
  original = { current: key };
});

const copyOf = ({ current }: Holder): Holder => ({ current });

function assertion(by: TestKey, next: TestKey, claims: Record<string, unknown> = {}): Promise<string> {
  return makeAssertion(by, {
    clientId: agent.id,
    audience: bench.identifier,
    header: { kid: agent.key.thumbprint, jwk: by.publicJwk },
    claims: { next_jwk: next.publicJwk, ...claims },
  });
}

/** Asks for a passport, and goes on with the next key when there is one. */
async function use(holder: Holder, next?: TestKey) {
  const following = next ?? (await newKey());
  const answer = await agent.request({ assertion: await assertion(holder.current, following) });
  if (answer.status === 200) holder.current = following;
  return answer;
}

const statusNow = async () => (await bench.room.agents.get(agent.id))?.status;
const alerts = () => bench.eventsOf('alert.raised').filter(({ data }) => data.agentId === agent.id);

describe('a key that gives way with each use', () => {
  test('carries one agent through many passports of one session', async () => {
    const sids = new Set<unknown>();
    for (let round = 0; round < 4; round += 1) {
      const { status, body } = await use(original);
      expect(status).toBe(200);
      sids.add(decodeJwt(String(body.access_token)).sid);
    }
    expect(sids.size).toBe(1);
    expect([await statusNow(), alerts()]).toEqual(['active', []]);
  });

  test('shows a copy by its first use, once the original has gone on', async () => {
    await use(original);
    const copy = copyOf(original);
    const { body } = await use(original);
    const stolen = await use(copy);
    expect([stolen.status, stolen.body.error]).toEqual([401, 'invalid_client']);
    expect(await statusNow()).toBe('quarantined');
    expect(alerts()).toMatchObject([
      { data: { severity: 'critical', findings: [{ check: 'identity.key_cloned' }] } },
    ]);
    const presented = await agent.present(String(body.access_token));
    await expect(bench.room.verifier.verify(presented, bench.clock.now())).rejects.toMatchObject({
      code: 'agent_quarantined',
    });
    expect((await use(original)).body.error).toBe('invalid_client');
  });

  test('shows a copy that came first by the later use of the original', async () => {
    await use(original);
    const copy = copyOf(original);
    expect((await use(copy)).status).toBe(200);
    expect(await statusNow()).toBe('active');
    expect((await use(original)).body.error).toBe('invalid_client');
    expect([await statusNow(), alerts().length]).toEqual(['quarantined', 1]);
    expect((await use(copy)).body.error).toBe('invalid_client');
  });

  test('shows a copy of the registered key, however old it is', async () => {
    const copy = copyOf(original);
    for (let round = 0; round < 3; round += 1) await use(original);
    await use(copy);
    expect(await statusNow()).toBe('quarantined');
  });

  test('may be used again with the same next key when the answer got lost', async () => {
    await use(original);
    const [before, next] = [original.current, await newKey()];
    expect((await use(original, next)).status).toBe(200);
    original.current = before;
    expect((await use(original, next)).status).toBe(200);
    expect((await use(original)).status).toBe(200);
    expect(await statusNow()).toBe('active');
  });

  test('is no copy when somebody sends a caught assertion again', async () => {
    const caught = await assertion(original.current, await newKey());
    const first = await newKey();
    original.current = first;
    const sent = await assertion(agent.key, first);
    expect((await agent.request({ assertion: sent })).status).toBe(200);
    await use(original);
    expect((await agent.request({ assertion: sent })).body.error).toBe('invalid_client');
    expect([await statusNow(), alerts()]).toEqual(['active', []]);
    // One that never arrived, by a key that gave way, is another matter.
    await agent.request({ assertion: caught });
    expect(await statusNow()).toBe('quarantined');
  });

  test('quarantines nobody for the signature of a stranger', async () => {
    await use(original);
    const stranger = await newKey();
    const { body } = await agent.request({ assertion: await assertion(stranger, await newKey()) });
    expect(body.error).toBe('invalid_client');
    const forged = await makeAssertion(stranger, {
      clientId: agent.id,
      audience: bench.identifier,
      header: { kid: agent.key.thumbprint, jwk: agent.key.publicJwk },
      claims: { next_jwk: (await newKey()).publicJwk },
    });
    expect((await agent.request({ assertion: forged })).body.error).toBe('invalid_client');
    expect([await statusNow(), alerts()]).toEqual(['active', []]);
  });

  test('of twenty uses at once with twenty next keys, one goes through and the others show the copy', async () => {
    const nexts = await Promise.all(Array.from({ length: 20 }, () => newKey()));
    const answers = await Promise.all(
      nexts.map(async (next) => agent.request({ assertion: await assertion(original.current, next) })),
    );
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(await statusNow()).toBe('quarantined');
  });

  test.each([
    ['names no next key', async () => ({ next_jwk: undefined })],
    ['names itself as the next key', async () => ({ next_jwk: original.current.publicJwk })],
    [
      'publishes a private key',
      async () => ({ next_jwk: { ...(await newKey()).publicJwk, d: 'not-a-real-part' } }),
    ],
    ['names a symmetric key', async () => ({ next_jwk: { kty: 'oct', k: 'AAAA' } })],
    ['is for another audience', async () => ({ aud: 'https://other.example' })],
    ['has expired', async () => ({ exp: 1_000 })],
  ])('gives nothing, and does not give way, when the assertion %s', async (_what, claims) => {
    const bad = await assertion(original.current, await newKey(), await claims());
    expect((await agent.request({ assertion: bad })).body.error).toBe('invalid_client');
    expect((await use(original)).status).toBe(200);
    expect(await statusNow()).toBe('active');
  });

  test('does not give way when nothing is issued', async () => {
    const next = await newKey();
    const refused = await agent.request({
      assertion: await assertion(original.current, next),
      form: { scope: 'bank:transfer' },
    });
    expect(refused.body.error).toBe('invalid_scope');
    expect((await use(original)).status).toBe(200);
  });

  test('never comes back to a key that gave way', async () => {
    const [first, second] = [original.current, await newKey()];
    await use(original, second);
    const back = await agent.request({ assertion: await assertion(original.current, first) });
    expect(back.body.error).toBe('invalid_client');
    expect(await statusNow()).toBe('active');
  });

  test('leaves no other way in: no secret, no assertion elsewhere', async () => {
    await expect(
      bench.room.agents.rotateSecret(agent.id, { overlapSeconds: 0 }, 'admin'),
    ).rejects.toMatchObject({ code: 'conflict' });
    const { body } = await use(original);
    const elsewhere = await agent.ask('/introspect', { token: String(body.access_token) });
    expect(elsewhere.body.error).toBe('invalid_client');
  });

  test('begins anew with another registered key, after a person looked at it', async () => {
    await use(original);
    const copy = copyOf(original);
    await use(original);
    await use(copy);
    const fresh = await newKey();
    await bench.room.agents.update(agent.id, { jwks: [jwkOf(fresh)] }, 'admin');
    await bench.room.agents.release(agent.id, 'admin');
    agent = new TestAgent(bench, agent.id, fresh, agent.dpop);
    const renewed: Holder = { current: fresh };
    expect((await use(renewed)).status).toBe(200);
    expect((await use(copy)).body.error).toBe('invalid_client');
  });

  test('is kept by the SDK, and a copy of what it kept is noticed', async () => {
    const current = { ...(await exportJWK(agent.key.privateKey)) } as PrivateJwk;
    let kept: RatchetKeys = { kid: agent.key.thumbprint, current, next: null };
    const open = (keys: RatchetKeys) =>
      Agent.open({
        issuer: bench.issuer,
        gate: bench.issuer,
        clientId: agent.id,
        key: new KeyRatchet(keys, async (changed) => {
          kept = changed;
        }),
      });
    const first = await open(kept);
    const copy = kept;
    await Promise.all([first.passport('stale'), first.passport('stale')]);
    await first.passport((await first.passport()).token);
    expect(await statusNow()).toBe('active');
    await (await open(kept)).passport();
    expect(await statusNow()).toBe('active');
    await expect(open(copy)).rejects.toMatchObject({ oauthError: 'invalid_client' });
    expect(await statusNow()).toBe('quarantined');
  });

  test('goes on after a restart', async () => {
    await use(original);
    const copy = copyOf(original);
    await use(original);
    await bench.restart();
    expect((await use(original)).status).toBe(200);
    await use(copy);
    expect(await statusNow()).toBe('quarantined');
  });
});
