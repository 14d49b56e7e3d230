import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, makeProof, newKey, openBench, post, TestAgent, type TestKey } from './support.ts';

const PLATFORM = 'https://token.platform.example';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

let bench: Bench;
let server: Server;
let jwksUri: string;
let platform: TestKey;
let dpop: TestKey;
let builder: TestAgent;
let served: () => { status: number; body: string };

beforeAll(async () => {
  [platform, dpop] = await Promise.all([newKey('RS256'), newKey()]);
  const keys = JSON.stringify({
    keys: [
      { ...platform.publicJwk, kid: 'platform-1', alg: 'RS256' },
      { kty: 'oct', k: 'x' },
    ],
  });
  served = () => ({ status: 200, body: keys });
  server = createServer((_request, response) => {
    const { status, body } = served();
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  jwksUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  const rule = { issuer: PLATFORM, jwksUri, audience: null, singleUse: true };
  const pod = {
    'kubernetes\\.io.namespace': { eq: 'build' },
    sub: { prefix: 'system:serviceaccount:build:' },
  };
  bench = await openBench({
    workloads: [
      {
        ...rule,
        name: 'actions',
        agent: 'builder',
        claims: { sub: { eq: 'repo:acme/app:ref:refs/heads/main' } },
      },
      { ...rule, name: 'pods', agent: 'builder', claims: pod, audience: 'sallyport', singleUse: false },
      { ...rule, name: 'one', agent: 'builder', claims: { sub: { eq: 'both' } } },
      { ...rule, name: 'other', agent: 'ghost', claims: { sub: { in: ['both', 'ghost'] } } },
    ],
  });
  builder = await TestAgent.register(bench, { name: 'builder' });
});
afterAll(async () => {
  await bench.close();
  server.close();
});

const MAIN = 'repo:acme/app:ref:refs/heads/main';

function assertion(
  claims: Record<string, unknown> = {},
  o: { key?: TestKey; header?: Record<string, unknown> } = {},
): Promise<string> {
  const { key = platform, header = {} } = o;
  const now = Math.floor(Date.now() / 1000);
  const good = {
    iss: PLATFORM,
    sub: MAIN,
    aud: bench.issuer,
    iat: now,
    exp: now + 600,
    jti: crypto.randomUUID(),
  };
  return new SignJWT({ ...good, ...claims })
    .setProtectedHeader({ alg: key.alg, kid: 'platform-1', ...header })
    .sign(key.privateKey);
}

async function ask(
  text: string,
  o: { form?: Record<string, string>; proof?: string; headers?: Record<string, string> } = {},
) {
  const proof = o.proof ?? (await makeProof(dpop, { htm: 'POST', htu: `${bench.issuer}/token` }));
  return post(`${bench.issuer}/token`, {
    form: { grant_type: GRANT, assertion: text, ...o.form },
    headers: { ...(proof === '' ? {} : { dpop: proof }), ...o.headers },
  });
}

describe('a workload', () => {
  test('whose platform vouches for it gets the passport of the agent, bound to its own key', async () => {
    const { status, body } = await ask(await assertion(), { form: { scope: 'github:read' } });
    expect([status, body.token_type, body.scope]).toEqual([200, 'DPoP', 'github:read']);
    expect(decodeJwt(String(body.access_token))).toMatchObject({
      sub: builder.id,
      client_id: builder.id,
      credential: 'workload actions',
      cnf: { jkt: dpop.thumbprint },
    });
    expect(bench.eventsOf('passport.issued').at(-1)?.data).toMatchObject({ grant: 'jwt_bearer' });
    const metadata = await (await fetch(`${bench.issuer}/.well-known/oauth-authorization-server`)).json();
    expect(metadata.grant_types_supported).toContain(GRANT);
  });

  test('keeps its session through tokens; another subject has another one', async () => {
    const sid = async (text: string) => decodeJwt(String((await ask(text)).body.access_token)).sid;
    const pod = (name: string) =>
      assertion({
        aud: ['sallyport'],
        sub: `system:serviceaccount:build:${name}`,
        'kubernetes.io': { namespace: 'build' },
      });
    expect(await sid(await pod('a'))).toBe(await sid(await pod('a')));
    expect(await sid(await pod('a'))).not.toBe(await sid(await pod('b')));
  });

  test('uses a token once, of twenty at once one gets a passport; where a rule says so, again', async () => {
    const text = await assertion();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(text)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const withoutJti = await assertion({ jti: undefined });
    expect([(await ask(withoutJti)).status, (await ask(withoutJti)).status]).toEqual([200, 400]);
    const sub = 'system:serviceaccount:build:a';
    const pod = await assertion({ aud: 'sallyport', sub, 'kubernetes.io': { namespace: 'build' } });
    expect([(await ask(pod)).status, (await ask(pod)).status]).toEqual([200, 200]);
  });

  const now = () => Math.floor(Date.now() / 1000);
  test.each<[string, string, () => Promise<string>]>([
    ['of another branch', 'invalid_grant', () => assertion({ sub: 'repo:acme/app:ref:refs/heads/main2' })],
    ['of another issuer', 'invalid_grant', () => assertion({ iss: `${PLATFORM}.evil.example` })],
    ['without an issuer', 'invalid_grant', () => assertion({ iss: undefined })],
    ['for another audience', 'invalid_grant', () => assertion({ aud: 'https://other.example' })],
    ['for the audience of another rule', 'invalid_grant', () => assertion({ aud: 'sallyport' })],
    ['without an audience', 'invalid_grant', () => assertion({ aud: undefined })],
    ['that has expired', 'invalid_grant', () => assertion({ exp: now() - 1 })],
    ['without an end', 'invalid_grant', () => assertion({ exp: undefined })],
    ['good for a week', 'invalid_grant', () => assertion({ exp: now() + 7 * 86_400 })],
    ['not valid yet', 'invalid_grant', () => assertion({ nbf: now() + 600 })],
    ['from the future', 'invalid_grant', () => assertion({ iat: now() + 600 })],
    ['signed by another key', 'invalid_grant', async () => assertion({}, { key: await newKey('RS256') })],
    [
      'with a key that its issuer does not have',
      'invalid_grant',
      () => assertion({}, { header: { kid: 'x' } }),
    ],
    [
      'under another algorithm than its key',
      'invalid_grant',
      async () => assertion({}, { key: await newKey() }),
    ],
    ['that is an access token', 'invalid_grant', () => assertion({}, { header: { typ: 'at+jwt' } })],
    ['that is a DPoP proof', 'invalid_grant', () => assertion({}, { header: { typ: 'dpop+jwt' } })],
    ['that two rules trust', 'invalid_grant', () => assertion({ sub: 'both' })],
    ['of an agent that nobody registered', 'invalid_grant', () => assertion({ sub: 'ghost' })],
    ['that is our own passport', 'invalid_grant', () => builder.passport()],
    ['that is no token', 'invalid_grant', async () => 'nonsense'],
    ['that is not there', 'invalid_request', async () => ''],
  ])('with a token %s gets nothing: %s', async (_what, error, make) => {
    const text = await make();
    const before = bench.eventsOf('passport.issued').length;
    const { body } = await ask(text);
    expect([body.error, body.access_token]).toEqual([error, undefined]);
    expect(bench.eventsOf('passport.issued').length).toBe(before);
  });

  test('needs a proof of its key, and no second authentication beside', async () => {
    expect((await ask(await assertion(), { proof: '' })).body.error).toBe('invalid_grant');
    const form = { client_assertion: await builder.assertion() };
    expect((await ask(await assertion(), { form })).body.error).toBe('invalid_request');
    const headers = { authorization: 'Basic eDp5' };
    expect((await ask(await assertion(), { headers })).body.error).toBe('invalid_request');
    expect((await ask(await assertion(), { form: { client_id: 'agent_x' } })).body.error).toBe(
      'invalid_grant',
    );
  });

  test('gets no more than its agent may have, and nothing when it is quarantined', async () => {
    expect((await ask(await assertion(), { form: { scope: 'github:admin' } })).body.error).toBe(
      'invalid_scope',
    );
    expect((await ask(await assertion(), { form: { resource: 'https://x.example' } })).body.error).toBe(
      'invalid_target',
    );
    await bench.room.agents.quarantine(builder.id, null, 'admin');
    expect((await ask(await assertion())).body.error).toBe('invalid_grant');
    await bench.room.agents.release(builder.id, 'admin');
    expect((await ask(await assertion())).status).toBe(200);
  });

  test('is told to come again when the keys of its platform can not be had', async () => {
    const keep = served;
    served = () => ({ status: 500, body: '' });
    bench.clock.aheadMs = 11 * 60_000;
    const later = Math.floor(bench.clock.now() / 1000);
    const proof = await makeProof(dpop, {
      htm: 'POST',
      htu: `${bench.issuer}/token`,
      claims: { iat: later },
    });
    const text = await assertion({ iat: later, exp: later + 60 });
    expect(await ask(text, { proof })).toMatchObject({
      status: 503,
      body: { error: 'temporarily_unavailable' },
    });
    bench.clock.aheadMs = 0;
    served = keep;
  });
});

describe('rules that trust too much', () => {
  const rule = {
    name: 'a',
    issuer: PLATFORM,
    jwksUri: 'https://platform.example/jwks',
    audience: null,
    agent: 'builder',
    claims: { sub: { eq: 'x' } },
    singleUse: true,
  };
  test.each([
    ['no condition', [{ ...rule, claims: {} }]],
    ['a condition that can not be read', [{ ...rule, claims: { sub: { like: 'x' } } }]],
    ['keys over plain http', [{ ...rule, jwksUri: 'http://platform.example/jwks' }]],
    ['one name twice', [rule, rule]],
  ])('stop the start: %s', async (_what, workloads) => {
    await expect(openBench({ workloads: workloads as never })).rejects.toThrow(/issuer\.workloads/);
  });
});
