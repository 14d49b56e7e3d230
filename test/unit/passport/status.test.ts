import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RevocationKind } from '../../../src/core/index.ts';
import { parseStatusList } from '../../../src/proof/index.ts';
import { ASSERTION_TYPE, type Bench, openBench, TestAgent } from './support.ts';

let bench: Bench;
let agent: TestAgent;
beforeAll(async () => {
  bench = await openBench();
  agent = await TestAgent.register(bench);
});
afterAll(() => bench.close());

interface Reference {
  readonly status_list: { readonly uri: string; readonly idx: number };
}

const referenceOf = (token: string) => (decodeJwt(token).status as Reference).status_list;

async function fetchList(uri: string) {
  const answer = await fetch(uri);
  const keys = createRemoteJWKSet(new URL(`${bench.issuer}/jwks`));
  const options = { issuer: bench.issuer, typ: 'statuslist+jwt', algorithms: ['ES256'] };
  const { payload } = await jwtVerify(await answer.text(), keys, options);
  return { headers: answer.headers, payload, list: await parseStatusList(payload.status_list as never) };
}

async function statusOf(token: string): Promise<number> {
  const { uri, idx } = referenceOf(token);
  return (await fetchList(uri)).list.at(idx);
}

function revoke(kind: RevocationKind, value: string) {
  return bench.room.revocations.revoke({ tenant: 'default', kind, value, by: 'admin', reason: null });
}

describe('the status list', () => {
  test('is a signed list of its issuer, with its address as subject and a bound on its age', async () => {
    const { uri } = referenceOf(await agent.passport());
    const { headers, payload, list } = await fetchList(uri);
    expect(headers.get('content-type')).toBe('application/statuslist+jwt');
    expect(headers.get('cache-control')).toBe('public, max-age=30');
    expect(payload).toMatchObject({ sub: uri, ttl: 30, status_list: { bits: 1 } });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
    expect(list.size).toBe(131_072);
    const metadata = await (await fetch(`${bench.issuer}/.well-known/oauth-authorization-server`)).json();
    expect(metadata.status_list_max_staleness_seconds).toBe(60);
  });

  test('tells of a revocation as soon as it is acknowledged, and of nobody else', async () => {
    const [one, other] = [await agent.passport(), await agent.passport()];
    expect([await statusOf(one), await statusOf(other)]).toEqual([0, 0]);
    await revoke('token', String(decodeJwt(one).jti));
    expect([await statusOf(one), await statusOf(other)]).toEqual([1, 0]);
  });

  test.each(['hop', 'session', 'agent', 'owner'] as const)('follows a revocation by %s', async (kind) => {
    const own = await TestAgent.register(bench, { owner: `owner-${kind}` });
    const token = await own.passport();
    const { sid, chain } = decodeJwt(token);
    const value = { hop: (chain as string[])[0], session: sid, agent: own.id, owner: `owner-${kind}` }[kind];
    expect(await statusOf(token)).toBe(0);
    await revoke(kind, String(value));
    expect(await statusOf(token)).toBe(1);
  });

  test('follows a chain: what is behind a revoked passport is revoked with it', async () => {
    const [planner, worker] = [await TestAgent.register(bench), await TestAgent.register(bench)];
    const parent = await planner.passport({ may_act: worker.id });
    const child = String((await worker.exchange(parent)).body.access_token);
    await revoke('agent', planner.id);
    expect([await statusOf(parent), await statusOf(child)]).toEqual([1, 1]);
  });

  test('gives each passport an entry of its own', async () => {
    const tokens = await Promise.all(Array.from({ length: 30 }, () => agent.passport()));
    expect(new Set(tokens.map((token) => referenceOf(token).idx)).size).toBe(30);
  });

  test.each(['x', '-1', '1.5', '99999', '0/1', '', '%30'])('does not exist at %j', async (number) => {
    expect((await fetch(`${bench.issuer}/status-lists/${number}`)).status).toBe(404);
  });

  test('takes GET and HEAD alone', async () => {
    const url = `${bench.issuer}/status-lists/0`;
    expect((await fetch(url, { method: 'POST' })).status).toBe(405);
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});

describe('a signed introspection answer (RFC 9701)', () => {
  async function introspect(token: string, accept: string) {
    const form = {
      token,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await agent.assertion(),
    };
    return fetch(`${bench.issuer}/introspect`, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { accept },
    });
  }

  test('says the same as the plain one, to the client that asked', async () => {
    const token = await agent.passport();
    const plain = await (await introspect(token, 'application/json')).json();
    const answer = await introspect(token, 'application/token-introspection+jwt');
    expect(answer.headers.get('content-type')).toBe('application/token-introspection+jwt');
    const keys = createRemoteJWKSet(new URL(`${bench.issuer}/jwks`));
    const { payload } = await jwtVerify(await answer.text(), keys, {
      issuer: bench.issuer,
      audience: agent.id,
      typ: 'token-introspection+jwt',
    });
    expect(payload.token_introspection).toEqual(plain);
    expect(payload.sub).toBeUndefined();
  });

  test('of a token that is not ours is inactive, signed as well', async () => {
    const text = await (await introspect('nonsense', 'application/token-introspection+jwt')).text();
    expect(decodeJwt(text).token_introspection).toEqual({ active: false });
  });

  test('is nothing that passes for a passport', async () => {
    const text = await (
      await introspect(await agent.passport(), 'application/token-introspection+jwt')
    ).text();
    const shown = await agent.present(text);
    await expect(bench.room.verifier.verify(shown, Date.now())).rejects.toThrow(
      expect.objectContaining({ code: 'passport_invalid' }),
    );
  });
});
