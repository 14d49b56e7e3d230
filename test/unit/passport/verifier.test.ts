import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryReplayStore } from '../../../src/passport/index.ts';
import { type Bench, GATE, makeProof, newKey, openBench, TestAgent } from './support.ts';

let bench: Bench;
let agent: TestAgent;
beforeAll(async () => {
  bench = await openBench();
  agent = await TestAgent.register(bench, { purpose: 'triage issues' });
});
afterAll(() => bench.close());

const code = (expected: string) => expect.objectContaining({ code: expected });

/** A token that the issuer's own key signed, with one thing changed. */
async function forge(
  change: { claims?: Record<string, unknown>; header?: Record<string, unknown> } = {},
): Promise<string> {
  const { keys } = JSON.parse(await readFile(join(bench.keysDirectory, 'passport-signing.json'), 'utf8'));
  const current = keys.find(({ status }: { status: string }) => status === 'current');
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: bench.issuer,
    sub: agent.id,
    client_id: agent.id,
    aud: GATE,
    iat: now,
    exp: now + 300,
    jti: 'jti_forged',
    scope: 'github:read',
    sid: 'session_forged',
    chain: ['hop_forged'],
    owner: 'alice@example.com',
    cnf: { jkt: agent.dpop.thumbprint },
    ...change.claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: current.kid, ...change.header })
    .sign(await importJWK(current.jwk, 'ES256'));
}

async function verify(token: string) {
  return bench.room.verifier.verify(await agent.present(token), Date.now());
}

describe('a good passport', () => {
  test('with a fresh proof is verified, and tells who calls', async () => {
    const passport = await verify(await agent.passport({ scope: 'github:read' }));
    expect(passport.subject).toEqual({
      tenant: 'default',
      agentId: agent.id,
      owner: 'alice@example.com',
      user: null,
      sid: expect.stringMatching(/^session_/),
      chain: [expect.stringMatching(/^hop_/)],
    });
    expect([...passport.scopes]).toEqual(['github:read']);
    expect(passport.purpose).toBe('triage issues');
    expect(passport.jkt).toBe(agent.dpop.thumbprint);
    expect(passport.expiresAt - passport.issuedAt).toBe(300_000);
    expect(Object.isFrozen(passport)).toBe(true);
  });

  test('works for a tunnel, whose proof names the authority', async () => {
    const token = await agent.passport();
    const [htm, htu] = ['CONNECT', 'api.github.com:443'];
    const proofs = [await makeProof(agent.dpop, { htm, htu, accessToken: token })];
    const presented = await agent.present(token, { htm, htu, proofs });
    expect((await bench.room.verifier.verify(presented, Date.now())).jti).toMatch(/^jti_/);
    const elsewhere = { ...presented, htu: 'api.github.com:8443' };
    await expect(bench.room.verifier.verify(elsewhere, Date.now())).rejects.toEqual(code('proof_invalid'));
  });

  test('the forged twin that the negative tests start from is as good', async () => {
    expect((await verify(await forge())).jti).toBe('jti_forged');
  });
});

describe('a passport is refused', () => {
  test('when there is none', async () => {
    await expect(bench.room.verifier.verify(null, Date.now())).rejects.toEqual(code('passport_missing'));
  });

  test.each([
    ['under alg none', { header: { alg: 'none' } }],
    ['under HS256 with the public key as secret', { header: { alg: 'HS256' } }],
  ])('%s', async (_what, { header }) => {
    const [, payload = ''] = (await forge()).split('.');
    const { keys } = bench.room.keys.jwks();
    const text = `${encode({ typ: 'at+jwt', kid: keys[0]?.kid, ...header })}.${payload}`;
    await expect(verify(`${text}.${Buffer.alloc(32).toString('base64url')}`)).rejects.toEqual(
      code('passport_invalid'),
    );
    await expect(verify(`${text}.`)).rejects.toEqual(code('passport_invalid'));
  });

  test.each([
    ['for another audience', { aud: 'https://other.example' }, 'passport_audience'],
    ['from another issuer', { iss: 'https://other.example' }, 'passport_invalid'],
    ['that has expired', { exp: 1_000 }, 'passport_expired'],
    ['that is not valid yet', { nbf: 9_000_000_000 }, 'passport_invalid'],
    ['from the future', { iat: 9_000_000_000, exp: 9_000_000_300 }, 'passport_invalid'],
    ['without a session', { sid: undefined }, 'passport_invalid'],
    ['without an owner', { owner: undefined }, 'passport_invalid'],
    ['without a chain', { chain: undefined }, 'passport_invalid'],
    ['with an empty chain', { chain: [] }, 'passport_invalid'],
    [
      'with a chain of nine hops',
      { chain: Array.from({ length: 9 }, (_, i) => `hop_${i}`) },
      'passport_invalid',
    ],
    ['bound to a certificate too', { cnf: { jkt: 'x', 'x5t#S256': 'y' } }, 'passport_invalid'],
    ['of an agent that is not known', { sub: 'agent_x', client_id: 'agent_x' }, 'passport_invalid'],
    ['with actors nested nine deep', { act: nested(9) }, 'passport_invalid'],
  ])('%s', async (_what, claims, expected) => {
    await expect(verify(await forge({ claims }))).rejects.toEqual(code(expected));
  });

  test.each(['JWT', 'dpop+jwt', 'id+jwt', undefined])('of the type %s', async (typ) => {
    await expect(verify(await forge({ header: { typ } }))).rejects.toEqual(code('passport_invalid'));
  });

  test('signed by a key that it brings along', async () => {
    const own = await newKey();
    const token = await new SignJWT({ sub: agent.id })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: own.thumbprint, jwk: own.publicJwk })
      .sign(own.privateKey);
    await expect(verify(token)).rejects.toEqual(code('passport_invalid'));
  });

  test('one character longer, shorter or other than it was issued', async () => {
    const token = await agent.passport();
    for (const changed of [
      `${token}A`,
      token.slice(0, -1),
      `${token}=`,
      ` ${token}`,
      token.replace('.', '..'),
    ]) {
      await expect(verify(changed)).rejects.toEqual(code('passport_invalid'));
    }
  });

  test('longer than any passport is', async () => {
    await expect(verify(`${await forge()}${'A'.repeat(9_000)}`)).rejects.toEqual(code('passport_invalid'));
  });

  test('when its time has run out since its signature was checked', async () => {
    const token = await agent.passport();
    const passport = await verify(token);
    const later = Date.now() + 301_000;
    await expect(bench.room.verifier.verify(await agent.present(token), later)).rejects.toEqual(
      code('passport_expired'),
    );
    expect(() => bench.room.verifier.recheck(passport, later)).toThrow(code('passport_expired'));
  });
});

describe('the binding', () => {
  test('a bound passport shown as Bearer is refused, with and without a proof', async () => {
    const token = await agent.passport();
    for (const proofs of [[], (await agent.present(token)).proofs]) {
      const presented = await agent.present(token, { scheme: 'Bearer', proofs });
      await expect(bench.room.verifier.verify(presented, Date.now())).rejects.toEqual(
        code('passport_invalid'),
      );
    }
  });

  test('a stolen passport with the thief’s own proof is refused', async () => {
    const token = await agent.passport();
    const thief = await newKey();
    const presented = await agent.present(token);
    const proofs = [await makeProof(thief, { ...presented, accessToken: token })];
    await expect(bench.room.verifier.verify({ ...presented, proofs }, Date.now())).rejects.toEqual(
      code('passport_invalid'),
    );
  });

  test('no proof is proof_missing, two are proof_invalid', async () => {
    const presented = await agent.present(await agent.passport());
    const none = bench.room.verifier.verify({ ...presented, proofs: [] }, Date.now());
    await expect(none).rejects.toEqual(code('proof_missing'));
    const two = { ...presented, proofs: [...presented.proofs, ...presented.proofs] };
    await expect(bench.room.verifier.verify(two, Date.now())).rejects.toEqual(code('proof_invalid'));
  });

  test('of one proof twenty times at once, one passes, in memory and in the database', async () => {
    const shared = await bench.openNode({ replay: bench.storage.replay });
    for (const { verifier } of [bench.room, shared]) {
      const presented = await agent.present(await agent.passport());
      const attempts = Array.from({ length: 20 }, () => verifier.verify(presented, Date.now()));
      const outcomes = await Promise.allSettled(attempts);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const refused = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [outcome.reason.code] : [],
      );
      expect(new Set(refused)).toEqual(new Set(['proof_replayed']));
    }
  });

  test('a proof that was refused for its passport is not used up', async () => {
    const token = await agent.passport();
    const presented = await agent.present(token);
    await expect(bench.room.verifier.verify({ ...presented, htm: 'POST' }, Date.now())).rejects.toEqual(
      code('proof_invalid'),
    );
    await bench.room.verifier.verify(presented, Date.now());
  });

  test('a proof from before the start is refused, since what was seen then is not known', async () => {
    const presented = await agent.present(await agent.passport());
    await bench.room.verifier.verify(presented, Date.now());
    bench.clock.aheadMs = 5_000;
    const restarted = await bench.openNode({ replay: new MemoryReplayStore() });
    bench.clock.aheadMs = 0;
    await expect(restarted.verifier.verify(presented, Date.now() + 5_000)).rejects.toEqual(
      code('proof_invalid'),
    );
  });

  test('a proof from the future is remembered beyond a restart', async () => {
    const token = await agent.passport();
    const [htm, htu] = ['GET', `${GATE}/s/github/user`];
    const claims = { iat: Math.floor(Date.now() / 1000) + 8 };
    const proofs = [await makeProof(agent.dpop, { htm, htu, accessToken: token, claims })];
    const presented = await agent.present(token, { proofs });
    await bench.room.verifier.verify(presented, Date.now());
    const restarted = await bench.openNode({ replay: new MemoryReplayStore() });
    await expect(restarted.verifier.verify(presented, Date.now())).rejects.toEqual(code('proof_replayed'));
  });

  test('an unbound passport is not issued, and not taken, unless the administrator says so', async () => {
    const token = await forge({ claims: { cnf: undefined } });
    const bearer = await agent.present(token, { scheme: 'Bearer', proofs: [] });
    await expect(bench.room.verifier.verify(bearer, Date.now())).rejects.toEqual(code('passport_unbound'));
    const lenient = await bench.openNode({ bearer: 'loopback' });
    expect((await lenient.verifier.verify(bearer, Date.now())).jkt).toBeNull();
    const far = lenient.verifier.verify({ ...bearer, loopback: false }, Date.now());
    await expect(far).rejects.toEqual(code('passport_unbound'));
    const dressed = await agent.present(token);
    await expect(lenient.verifier.verify(dressed, Date.now())).rejects.toEqual(code('passport_invalid'));
  });

  test('a nonce that is asked for must be there, and comes with the refusal', async () => {
    const strict = await bench.openNode({ nonce: true });
    const token = await forge();
    const first = await strict.verifier
      .verify(await agent.present(token), Date.now())
      .catch((fault) => fault);
    expect(first).toMatchObject({ code: 'proof_nonce', extra: { dpopNonce: expect.any(String) } });
    const [htm, htu] = ['GET', `${GATE}/s/github/user`];
    const claims = { nonce: first.extra.dpopNonce };
    const proofs = [await makeProof(agent.dpop, { htm, htu, accessToken: token, claims })];
    const presented = await agent.present(token, { proofs });
    expect((await strict.verifier.verify(presented, Date.now())).jti).toBe('jti_forged');
  });
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function nested(depth: number): Record<string, unknown> {
  return { sub: `agent_${depth}`, ...(depth > 1 ? { act: nested(depth - 1) } : {}) };
}
