import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Refusal, type RevocationKind } from '../../../src/core/index.ts';
import { type Bench, jwkOf, newKey, openBench, TestAgent } from './support.ts';

let bench: Bench;
beforeAll(async () => {
  const limit = { perSecond: 1e6, burst: 1e6 };
  bench = await openBench({ limits: { client: limit, address: limit } });
});
afterAll(() => bench.close());

interface Held {
  readonly agent: TestAgent;
  readonly token: string;
}

/** A chain of passports from agent to agent, the root first. */
async function chainOf(...agents: readonly TestAgent[]): Promise<Held[]> {
  const [root, ...others] = agents;
  if (root === undefined) throw new Error('a chain begins with an agent');
  const held: Held[] = [{ agent: root, token: await root.passport() }];
  for (const agent of others) held.push(await next(held.at(-1), agent));
  return held;
}

async function next(before: Held | undefined, agent: TestAgent): Promise<Held> {
  if (before === undefined) throw new Error('there is nothing to pass on');
  const subject_proof = await before.agent.passOn(before.token, agent.id);
  const { body } = await agent.exchange(before.token, { form: { subject_proof } });
  return { agent, token: String(body.access_token) };
}

const register = (o: Parameters<typeof TestAgent.register>[1] = {}) => TestAgent.register(bench, o);
const three = () => Promise.all([register(), register(), register()]);

async function outcome({ agent, token }: Held): Promise<string> {
  try {
    await bench.room.verifier.verify(await agent.present(token), bench.clock.now());
    return 'accepted';
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    return refusal.code;
  }
}

const outcomes = (held: readonly Held[]) => Promise.all(held.map(outcome));

function revoke(kind: RevocationKind, value: string) {
  return bench.room.revocations.revoke({ tenant: 'default', kind, value, by: 'admin', reason: 'a test' });
}

const hopOf = ({ token }: Held) => String((decodeJwt(token).chain as string[]).at(-1));
const GOOD = 'accepted';
const GONE = 'passport_revoked';

describe('a revocation in a chain', () => {
  test.each([
    [0, [GONE, GONE, GONE]],
    [1, [GOOD, GONE, GONE]],
    [2, [GOOD, GOOD, GONE]],
  ])('of hop %i ends it and all behind it, and nothing before it', async (place, expected) => {
    const held = await chainOf(...(await three()));
    const one = held[place];
    if (one === undefined) throw new Error('no such place');
    await revoke('hop', hopOf(one));
    expect(await outcomes(held)).toEqual(expected);
  });

  test('of a token ends what was exchanged from it', async () => {
    const held = await chainOf(...(await three()));
    await revoke('token', String(decodeJwt(held[1]?.token ?? '').jti));
    expect(await outcomes(held)).toEqual([GOOD, GONE, GONE]);
  });

  test('by its own client (RFC 7009) does the same', async () => {
    const held = await chainOf(...(await three()));
    const { status } = (await held[1]?.agent.ask('/revoke', { token: held[1].token })) ?? {};
    expect(status).toBe(200);
    expect(await outcomes(held)).toEqual([GOOD, GONE, GONE]);
  });

  test('of an agent ends what it passed on, also of its owner alone', async () => {
    const agents = await Promise.all([register({ owner: 'olga' }), register({ owner: 'olga' })]);
    const held = await chainOf(...agents);
    await revoke('agent', agents[0]?.id ?? '');
    expect(await outcomes(held)).toEqual(['agent_quarantined', GONE]);
    await bench.room.agents.release(agents[0]?.id ?? '', 'admin');
    expect(await outcomes(held)).toEqual([GONE, GONE]);
  });

  test('of an owner ends what her agents passed on to agents of others', async () => {
    const open = await openBench({ delegationPolicy: () => null });
    const [hers, his] = [
      await TestAgent.register(open, { owner: 'olga' }),
      await TestAgent.register(open, { owner: 'boris' }),
    ];
    const parent = await hers.passport({ may_act: his.id });
    const { body } = await his.exchange(parent);
    const token = String(body.access_token);
    const see = async () => open.room.verifier.verify(await his.present(token), Date.now());
    expect((await see()).subject.owner).toBe('boris');
    const request = { tenant: 'default', kind: 'owner', value: 'olga', by: 'admin', reason: null } as const;
    await open.room.revocations.revoke(request);
    await expect(see()).rejects.toThrow(expect.objectContaining({ code: GONE }));
    expect((await his.request()).status).toBe(200);
    await open.close();
  });

  test('takes away the right to exchange, and is asked again when the passport is written', async () => {
    const [one, two, other] = await three();
    if (!one || !two || !other) throw new Error('three agents');
    const held = await chainOf(one, two);
    await revoke('hop', hopOf(held[0] as Held));
    const subject_proof = await two.passOn(held[1]?.token ?? '', other.id);
    const { body } = await other.exchange(held[1]?.token ?? '', { form: { subject_proof } });
    expect(body.error).toBe('invalid_grant');
  });

  test('is heard by whoever holds a passport of the subtree, so that streams are cut', async () => {
    const held = await chainOf(...(await three()));
    const leaf = held[2] as Held;
    const passport = await bench.room.verifier.verify(await leaf.agent.present(leaf.token), Date.now());
    const heard: boolean[] = [];
    const stop = bench.room.revocations.onRevoked((matches) => heard.push(matches(passport)));
    await revoke('hop', hopOf(held[0] as Held));
    stop();
    expect(heard).toEqual([true]);
    expect(() => bench.room.verifier.recheck(passport, Date.now())).toThrow(Refusal);
  });

  test('of a subtree of 1,000 passports is one record in one transaction, and every one of them is refused', async () => {
    const [root, ...workers] = await Promise.all(Array.from({ length: 11 }, () => register()));
    if (root === undefined) throw new Error('no root');
    const top = await chainOf(root);
    const parent = top[0] as Held;
    const nodes: Held[] = [];
    for (const agent of workers) {
      const made = await Promise.all(Array.from({ length: 100 }, () => next(parent, agent)));
      nodes.push(...made);
    }
    expect(new Set(nodes.map(hopOf)).size).toBe(1000);
    expect(await outcomes(nodes.slice(0, 20))).toEqual(Array(20).fill(GOOD));
    const before = bench.eventsOf('passport.revoked').length;
    await revoke('hop', hopOf(parent));
    expect(bench.eventsOf('passport.revoked').length).toBe(before + 1);
    expect(new Set(await outcomes(nodes))).toEqual(new Set([GONE]));
  }, 120_000);
});

describe('a revoked credential', () => {
  test('ends what was got with it, alone or by exchange, and leaves its agent; another key goes on', async () => {
    const [planner, worker] = [await register(), await register()];
    const second = await newKey();
    await bench.room.agents.update(worker.id, { jwks: [jwkOf(worker.key), jwkOf(second)] }, 'admin');
    const own = { agent: worker, token: await worker.passport() };
    const [root, leaf] = await chainOf(planner, worker);
    const other = new TestAgent(bench, worker.id, second, worker.dpop);
    const spared = { agent: other, token: await other.passport() };
    await revoke('credential', `${worker.id}/${worker.key.thumbprint}`);
    expect(await outcomes([own, leaf as Held, root as Held, spared])).toEqual([GONE, GONE, GOOD, GOOD]);
    expect((await worker.request()).body.error).toBe('invalid_client');
    expect((await other.request()).status).toBe(200);
    expect((await bench.room.agents.get(worker.id))?.jwks.map(({ kid }) => kid)).toEqual([second.thumbprint]);
    expect(bench.eventsOf('agent.updated').at(-1)?.data).toMatchObject({
      id: worker.id,
      changes: { credential: 'removed' },
    });
  });

  test('that nobody has is not found', async () => {
    const agent = await register();
    for (const value of [agent.id, `${agent.id}/nothing`, 'agent_x/y', '/']) {
      await expect(revoke('credential', value)).rejects.toThrow(
        expect.objectContaining({ code: 'not_found' }),
      );
    }
  });
});

describe('a revoked signing key', () => {
  test('ends all that it signed and leaves the key set; another one signs, also after a restart', async () => {
    const own = await openBench();
    const agent = await TestAgent.register(own);
    const token = await agent.passport();
    const see = async (one: string) => own.room.verifier.verify(await agent.present(one), Date.now());
    const { kid } = decodeProtectedHeader(token);
    await see(token);
    const request = { tenant: 'default', kind: 'key', by: 'admin', reason: null } as const;
    await own.room.revocations.revoke({ ...request, value: String(kid) });
    await expect(see(token)).rejects.toThrow(Refusal);
    expect(own.room.keys.jwks().keys.map((key) => key.kid)).not.toContain(kid);
    expect(own.room.keys.jwks().keys).toHaveLength(2);
    const fresh = await agent.passport();
    expect(decodeProtectedHeader(fresh).kid).not.toBe(kid);
    await see(fresh);
    await own.restart();
    await expect(see(token)).rejects.toThrow(Refusal);
    await see(await agent.passport());
    await expect(own.room.revocations.revoke({ ...request, value: 'nobody' })).rejects.toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
    await own.close();
  });
});
