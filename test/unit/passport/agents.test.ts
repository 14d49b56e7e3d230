import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/core/index.ts';
import { type Bench, jwkOf, newKey, newWeakKey, openBench, TestAgent } from './support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const good = async () => ({
  name: `agent-${Math.random().toString(36).slice(2)}`,
  owner: 'alice@example.com',
  scopes: ['github:read'],
  jwks: [jwkOf(await newKey())],
});

describe('registering', () => {
  test('gives an id, keeps the public keys, and shows no secret where none was asked for', async () => {
    const { agent, secret } = await bench.room.agents.register(await good(), 'admin');
    expect(agent.id).toMatch(/^agent_/);
    expect(agent.status).toBe('active');
    expect(secret).toBeNull();
    expect(await bench.room.agents.byName(agent.name)).toEqual(agent);
    expect(bench.eventsOf('agent.registered').at(-1)?.data).toMatchObject({ id: agent.id, by: 'admin' });
  });

  test('a key without a kid is named by its thumbprint', async () => {
    const key = await newKey();
    const { kid: _kid, ...jwk } = jwkOf(key);
    const { agent } = await bench.room.agents.register({ ...(await good()), jwks: [jwk] }, 'admin');
    expect(agent.jwks[0]?.kid).toBe(key.thumbprint);
  });

  test.each([
    ['an upper-case name', { name: 'Agent' }, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a name with a slash', { name: 'a/b' }, 'name'],
    ['a name of 64 characters', { name: 'a'.repeat(64) }, 'name'],
    ['an owner with a line end', { owner: 'alice\nbob' }, 'owner'],
    ['an empty owner', { owner: '' }, 'owner'],
    ['a scope without a service', { scopes: ['read'] }, 'scopes'],
    ['a wildcard', { scopes: ['github:*'] }, 'scopes'],
    ['a scope with a space', { scopes: ['github:read write'] }, 'scopes'],
    ['a scope twice', { scopes: ['github:read', 'github:read'] }, 'scopes'],
    ['sixty-five scopes', { scopes: Array.from({ length: 65 }, (_, i) => `s${i}:read`) }, 'scopes'],
    ['a purpose with a control character', { purpose: 'a\u0007b' }, 'purpose'],
  ])('%s is refused, and the fault is named', async (_what, change, member) => {
    const attempt = bench.room.agents.register({ ...(await good()), ...change }, 'admin');
    await expect(attempt).rejects.toMatchObject({
      code: 'input_invalid',
      extra: { errors: [expect.stringMatching(new RegExp(`^${member}`))] },
    });
  });

  test('every fault is told at once', async () => {
    const attempt = bench.room.agents.register(
      { name: 'X', owner: '', scopes: ['x'], jwks: [{ kty: 'oct', k: 'AAAA' }] },
      'admin',
    );
    const { extra } = await attempt.catch((refusal) => refusal);
    expect(extra.errors).toHaveLength(4);
  });

  test('keys that are private, symmetric, weak, off the list or twice are refused', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const secp = { kty: 'EC', crv: 'secp256k1', x: 'A'.repeat(43), y: 'A'.repeat(43) };
    const same = jwkOf(await newKey());
    const refused: JsonValue[][] = [
      [JSON.parse(JSON.stringify(await exportJWK(privateKey)))],
      [{ kty: 'oct', k: 'AAAA' }],
      [jwkOf(await newWeakKey())],
      [secp],
      [jwkOf(await newKey('ES384'))],
      [{ ...same, use: 'enc' }],
      [{ ...same, d: '' }],
      [{ ...same, alg: 'RS256' }],
      [same, same],
      ['text'],
      [null],
    ];
    for (const jwks of refused) {
      const attempt = bench.room.agents.register({ ...(await good()), jwks }, 'admin');
      await expect(attempt, JSON.stringify(jwks)).rejects.toMatchObject({ code: 'input_invalid' });
    }
  });

  test('an agent without a key and without a secret is refused', async () => {
    const attempt = bench.room.agents.register({ ...(await good()), jwks: [] }, 'admin');
    await expect(attempt).rejects.toMatchObject({ code: 'input_invalid' });
  });

  test('a name that is taken is a conflict, until its agent is removed', async () => {
    const first = await good();
    const { agent } = await bench.room.agents.register(first, 'admin');
    const again = { ...(await good()), name: first.name };
    await expect(bench.room.agents.register(again, 'admin')).rejects.toMatchObject({ code: 'conflict' });
    await bench.room.agents.remove(agent.id, 'admin');
    expect((await bench.room.agents.register(again, 'admin')).agent.id).not.toBe(agent.id);
  });
});

describe('changing', () => {
  test('a scope that is taken away is gone at once, from live passports too', async () => {
    const agent = await TestAgent.register(bench, { scopes: ['github:read', 'github:write'] });
    const token = await agent.passport();
    await bench.room.agents.update(agent.id, { scopes: ['github:read'] }, 'admin');
    await expect(bench.room.verifier.verify(await agent.present(token), Date.now())).rejects.toMatchObject({
      code: 'passport_revoked',
    });
    expect((await agent.request({ form: { scope: 'github:write' } })).body.error).toBe('invalid_scope');
    expect((await agent.request()).body.scope).toBe('github:read');
  });

  test('a scope that is added leaves live passports alone', async () => {
    const agent = await TestAgent.register(bench, { scopes: ['github:read'] });
    const token = await agent.passport();
    await bench.room.agents.update(
      agent.id,
      { scopes: ['github:read', 'npm:read'], purpose: 'more' },
      'admin',
    );
    await bench.room.verifier.verify(await agent.present(token), Date.now());
    expect((await agent.request()).body.scope).toBe('github:read npm:read');
  });

  test('a key that is taken away signs in no more', async () => {
    const agent = await TestAgent.register(bench);
    const fresh = await newKey();
    await bench.room.agents.update(agent.id, { jwks: [jwkOf(fresh)] }, 'admin');
    expect((await agent.request()).body.error).toBe('invalid_client');
    const left = bench.room.agents.update(agent.id, { jwks: [] }, 'admin');
    await expect(left).rejects.toMatchObject({ code: 'conflict' });
  });

  test('two changes at once both happen', async () => {
    const agent = await TestAgent.register(bench);
    await Promise.all([
      bench.room.agents.update(agent.id, { purpose: 'one thing' }, 'admin'),
      bench.room.agents.update(agent.id, { owner: 'bob@example.com' }, 'admin'),
    ]);
    expect(await bench.room.agents.get(agent.id)).toMatchObject({
      purpose: 'one thing',
      owner: 'bob@example.com',
      revision: 3,
    });
  });

  test('the name of another agent can not be taken', async () => {
    const [one, other] = [await TestAgent.register(bench), await TestAgent.register(bench)];
    const name = (await bench.room.agents.get(one.id))?.name ?? '';
    const attempt = bench.room.agents.update(other.id, { name }, 'admin');
    await expect(attempt).rejects.toMatchObject({ code: 'conflict' });
  });

  test('what is not there or removed is not_found', async () => {
    const agent = await TestAgent.register(bench);
    await bench.room.agents.remove(agent.id, 'admin');
    for (const id of [agent.id, 'agent_unknown']) {
      await expect(bench.room.agents.update(id, { purpose: 'x' }, 'admin')).rejects.toMatchObject({
        code: 'not_found',
      });
    }
    await expect(bench.room.agents.release(agent.id, 'admin')).rejects.toMatchObject({ code: 'not_found' });
    expect((await agent.request()).body.error).toBe('invalid_client');
  });

  test('a removed agent’s passport is refused', async () => {
    const agent = await TestAgent.register(bench);
    const token = await agent.passport();
    await bench.room.agents.remove(agent.id, 'admin');
    await expect(bench.room.verifier.verify(await agent.present(token), Date.now())).rejects.toMatchObject({
      code: 'passport_revoked',
    });
  });

  test('an agent that is not quarantined can not be released', async () => {
    const agent = await TestAgent.register(bench);
    await expect(bench.room.agents.release(agent.id, 'admin')).rejects.toMatchObject({ code: 'conflict' });
  });
});
