import { request } from 'node:http';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Refusal } from '../../src/core/index.ts';
import {
  ASSERTION_TYPE,
  type Bench,
  GATE,
  jwkOf,
  makeAssertion,
  makeProof,
  newKey,
  openBench,
  post,
  TestAgent,
} from '../unit/passport/support.ts';

let bench: Bench;
let agent: TestAgent;
beforeAll(async () => {
  bench = await openBench();
  agent = await TestAgent.register(bench);
});
afterAll(() => bench.close());

const tokenUrl = () => `${bench.issuer}/token`;
const proofFor = (dpop = agent.dpop) => makeProof(dpop, { htm: 'POST', htu: tokenUrl() });

describe('client authentication at the token endpoint', () => {
  test('none is invalid_request, and nothing is issued', async () => {
    const form = { grant_type: 'client_credentials', client_id: agent.id };
    const { status, body } = await post(tokenUrl(), { form, headers: { dpop: await proofFor() } });
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  });

  test('an unknown client is invalid_client', async () => {
    const key = await newKey();
    const assertion = await makeAssertion(key, { clientId: 'agent_unknown', audience: bench.issuer });
    expect(await agent.request({ assertion })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
  });

  test.each([
    ['signed by another key', async () => ({ key: await newKey() })],
    ['for another audience', async () => ({ audience: 'https://other.example' })],
    ['that has expired', async () => ({ claims: { exp: 1_000 } })],
    ['good for a day', async () => ({ claims: { exp: Math.floor(Date.now() / 1000) + 86_400 } })],
    ['without exp', async () => ({ claims: { exp: undefined } })],
    ['without jti', async () => ({ claims: { jti: undefined } })],
    ['with a jti of 300 characters', async () => ({ claims: { jti: 'x'.repeat(300) } })],
    ['not valid yet', async () => ({ claims: { nbf: Math.floor(Date.now() / 1000) + 600 } })],
    ['by another issuer', async () => ({ claims: { iss: 'agent_other' } })],
    ['of the type of an access token', async () => ({ header: { typ: 'at+jwt' } })],
    ['of the type of a DPoP proof', async () => ({ header: { typ: 'dpop+jwt' } })],
    ['with a kid that the agent does not have', async () => ({ header: { kid: 'nope' } })],
  ])('an assertion %s is invalid_client', async (_what, change) => {
    const {
      key = agent.key,
      audience = bench.issuer,
      ...rest
    } = (await change()) as {
      key?: typeof agent.key;
      audience?: string;
      claims?: Record<string, unknown>;
      header?: Record<string, unknown>;
    };
    const kid = { kid: agent.key.thumbprint };
    const assertion = await makeAssertion(key, {
      clientId: agent.id,
      audience,
      ...rest,
      header: { ...kid, ...rest.header },
    });
    const { status, body } = await agent.request({ assertion });
    expect([status, body.error]).toEqual([401, 'invalid_client']);
    expect(body).not.toHaveProperty('access_token');
  });

  test.each(['none', 'HS256'])('an assertion under alg %s is invalid_client', async (alg) => {
    const [, payload = ''] = (await agent.assertion()).split('.');
    const header = Buffer.from(JSON.stringify({ alg, kid: agent.key.thumbprint })).toString('base64url');
    const { status, body } = await agent.request({ assertion: `${header}.${payload}.AAAA` });
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  });

  test('an assertion with a second spelling of its signature is invalid_client', async () => {
    const assertion = `${await agent.assertion()}=`;
    expect((await agent.request({ assertion })).body.error).toBe('invalid_client');
  });

  test('one assertion that comes twenty times at once passes once', async () => {
    const assertion = await agent.assertion();
    const before = bench.eventsOf('passport.issued').length;
    const answers = await Promise.all(Array.from({ length: 20 }, () => agent.request({ assertion })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    expect(bench.eventsOf('passport.issued')).toHaveLength(before + 1);
  });

  test('one DPoP proof that comes twenty times at once passes once', async () => {
    const proof = await proofFor();
    const answers = await Promise.all(Array.from({ length: 20 }, () => agent.request({ proof })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
  });
});

describe('client secrets', () => {
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  });

  async function registerWithSecret() {
    const { agent: made, secret } = await bench.room.agents.register(
      {
        name: `secret-${Math.random().toString(36).slice(2)}`,
        owner: 'bob',
        scopes: ['npm:read'],
        withSecret: true,
      },
      'admin',
    );
    return { id: made.id, secret: secret?.use((bytes) => Buffer.from(bytes).toString()) ?? '' };
  }

  async function tryBasic(id: string, secret: string) {
    const dpop = await newKey();
    return post(tokenUrl(), {
      form: { grant_type: 'client_credentials' },
      headers: { ...basic(id, secret), dpop: await proofFor(dpop) },
    });
  }

  test('a wrong, an empty and another client’s secret are invalid_client', async () => {
    const [one, other] = [await registerWithSecret(), await registerWithSecret()];
    for (const secret of [`${one.secret}x`, 'x', other.secret]) {
      expect((await tryBasic(one.id, secret)).body.error).toBe('invalid_client');
    }
    expect((await tryBasic(one.id, one.secret)).status).toBe(200);
  });

  test('a key agent has no secret to guess, and a secret agent takes no assertion', async () => {
    const { id } = await registerWithSecret();
    expect((await tryBasic(agent.id, 'anything')).body.error).toBe('invalid_client');
    const key = await newKey();
    const assertion = await makeAssertion(key, { clientId: id, audience: bench.issuer });
    expect((await agent.request({ assertion })).body.error).toBe('invalid_client');
  });

  test('an agent with a key and a secret may use either, and each is a session of its own', async () => {
    const key = await newKey();
    const { agent: made, secret } = await bench.room.agents.register(
      { name: 'both', owner: 'bob', scopes: ['npm:read'], jwks: [jwkOf(key)], withSecret: true },
      'admin',
    );
    const text = secret?.use((bytes) => Buffer.from(bytes).toString()) ?? '';
    const bySecret = await tryBasic(made.id, text);
    const assertion = await makeAssertion(key, { clientId: made.id, audience: bench.issuer });
    const byKey = await agent.request({ assertion });
    expect([bySecret.status, byKey.status]).toEqual([200, 200]);
    const sid = (token: unknown) => decodeJwt(String(token)).sid;
    expect(sid(bySecret.body.access_token)).not.toBe(sid(byKey.body.access_token));
  });

  test('after a rotation both secrets are good until the overlap ends', async () => {
    const one = await registerWithSecret();
    const rotated = await bench.room.agents.rotateSecret(one.id, { overlapSeconds: 60 }, 'admin');
    const fresh = rotated.secret?.use((bytes) => Buffer.from(bytes).toString()) ?? '';
    expect((await tryBasic(one.id, one.secret)).status).toBe(200);
    expect((await tryBasic(one.id, fresh)).status).toBe(200);
    bench.clock.aheadMs = 61_000;
    try {
      expect((await tryBasic(one.id, one.secret)).body.error).toBe('invalid_client');
      expect((await tryBasic(one.id, fresh)).status).toBe(200);
    } finally {
      bench.clock.aheadMs = 0;
    }
  });

  test('a rotation without overlap ends the old secret and its passports', async () => {
    const one = await registerWithSecret();
    const dpop = await newKey();
    const { body } = await post(tokenUrl(), {
      form: { grant_type: 'client_credentials' },
      headers: { ...basic(one.id, one.secret), dpop: await proofFor(dpop) },
    });
    await bench.room.agents.rotateSecret(one.id, { overlapSeconds: 0 }, 'admin');
    expect((await tryBasic(one.id, one.secret)).body.error).toBe('invalid_client');
    const { jti } = decodeJwt(String(body.access_token));
    expect(await bench.room.passports.get(jti ?? '')).not.toBeNull();
    const presented = await agent.present(String(body.access_token));
    await expect(bench.room.verifier.verify(presented, Date.now())).rejects.toMatchObject({
      code: 'passport_revoked',
    });
  });

  test('neither the database nor the log holds a secret', async () => {
    const one = await registerWithSecret();
    const stored = await bench.storage.agents.get('default', one.id);
    expect(JSON.stringify(stored)).not.toContain(one.secret);
    expect(JSON.stringify(bench.events)).not.toContain(one.secret);
    expect(JSON.stringify(await bench.room.agents.get(one.id))).not.toContain(stored?.secrets[0]?.hash);
  });
});

describe('what is asked for', () => {
  test('no scope means all that is registered; the introspection right is never in a passport', async () => {
    const asker = await TestAgent.register(bench, { scopes: ['github:read', 'introspect'] });
    const { body } = await asker.request();
    expect(body.scope).toBe('github:read');
    const { status, body: refused } = await asker.request({ form: { scope: 'introspect' } });
    expect([status, refused.error]).toEqual([400, 'invalid_scope']);
  });

  test('a scope that is not registered is invalid_scope, also beside one that is', async () => {
    const { status, body } = await agent.request({ form: { scope: 'github:read github:admin' } });
    expect([status, body.error]).toEqual([400, 'invalid_scope']);
  });

  test('a huge scope is not sent back, and not written to the log', async () => {
    const { body } = await agent.request({ form: { scope: 'x'.repeat(20_000) } });
    expect(body.error).toBe('invalid_scope');
    expect(JSON.stringify(body).length).toBeLessThan(500);
    expect(JSON.stringify(bench.eventsOf('passport.refused').at(-1)).length).toBeLessThan(700);
  });

  test.each(['https://other.example', `${GATE}.evil.example`, `${GATE}/other`, 'gate', `${GATE}#x`])(
    'the resource %s is invalid_target',
    async (resource) => {
      const { status, body } = await agent.request({ form: { resource } });
      expect([status, body.error]).toEqual([400, 'invalid_target']);
    },
  );

  test('the gateway’s URL as resource is what the passport is for, with or without its slash', async () => {
    for (const resource of [GATE, `${GATE}/`]) {
      expect(decodeJwt(await agent.passport({ resource })).aud).toBe(GATE);
    }
  });

  test.each(['password', 'implicit', 'nonsense'])('the grant %s is not offered', async (grant_type) => {
    const { status, body } = await agent.request({ form: { grant_type } });
    expect(status).toBe(400);
    expect(body.error).toBe('unsupported_grant_type');
  });

  test('without a DPoP proof there is no passport', async () => {
    const { status, body } = await agent.request({ proof: null });
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  });

  test('extra claims in the request change nothing in the passport', async () => {
    const token = await agent.passport({ sid: 'mine', owner: 'root', claims: '{"sub":"root"}', act: 'x' });
    expect(decodeJwt(token)).toMatchObject({ sub: agent.id, owner: 'alice@example.com' });
  });
});

describe('the session of a passport', () => {
  test('survives renewal, a restart and a new DPoP key; another key of the agent opens another', async () => {
    const first = decodeJwt(await agent.passport());
    const renewed = decodeJwt(await agent.passport());
    const { body } = await agent.request({ dpop: await newKey() });
    const rebound = decodeJwt(String(body.access_token));
    await bench.restart();
    const restarted = decodeJwt(await agent.passport());
    expect(new Set([first.sid, renewed.sid, rebound.sid, restarted.sid]).size).toBe(1);
    expect(new Set([first.jti, renewed.jti, rebound.jti, restarted.jti]).size).toBe(4);
    expect(renewed.chain).not.toEqual(first.chain);
    const second = await newKey();
    await bench.room.agents.update(agent.id, { jwks: [jwkOf(agent.key), jwkOf(second)] }, 'admin');
    const assertion = await makeAssertion(second, { clientId: agent.id, audience: bench.issuer });
    const other = decodeJwt(String((await agent.request({ assertion })).body.access_token));
    expect(other.sid).not.toBe(first.sid);
  });
});

describe('the record of a passport', () => {
  test('is stored and in the log before the passport leaves', async () => {
    const { jti = '', sid, chain, exp = 0 } = decodeJwt(await agent.passport({ scope: 'github:read' }));
    const stored = await bench.room.passports.get(jti);
    expect(stored).toMatchObject({
      agentId: agent.id,
      owner: 'alice@example.com',
      user: null,
      sid,
      chain,
      scope: 'github:read',
      audience: GATE,
      jkt: agent.dpop.thumbprint,
      grant: 'client_credentials',
      expiresAt: exp * 1000,
    });
    expect(bench.eventsOf('passport.issued').at(-1)?.data.jti).toBe(jti);
    const listed = await bench.room.passports.list({ liveOnly: true, after: null, limit: 200 });
    expect(listed.map((one) => one.jti)).toContain(jti);
  });

  test.each([
    ['refuses', new Refusal('audit_unavailable'), [503, 'temporarily_unavailable']],
    ['fails', new Error('the disk is full'), [500, 'server_error']],
  ])('when the log %s, nothing is issued', async (_how, fault, expected) => {
    const node = await bench.openNode({
      audit: async (event) => {
        if (event.type === 'passport.issued') throw fault;
      },
    });
    bench.serve(node);
    try {
      const { status, body } = await agent.request();
      expect([status, body.error]).toEqual(expected);
      expect(JSON.stringify(body)).not.toContain('disk');
      expect(body).not.toHaveProperty('access_token');
    } finally {
      bench.serve(bench.room);
    }
  });
});

describe('the HTTP side', () => {
  test('Host and X-Forwarded fields decide nothing', async () => {
    const proof = await makeProof(agent.dpop, { htm: 'POST', htu: 'https://evil.example/token' });
    const form = {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await agent.assertion(),
    };
    const headers = {
      dpop: proof,
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
    };
    expect((await post(tokenUrl(), { form, headers })).body.error).toBe('invalid_dpop_proof');
    const metadata = await rawGet('/.well-known/oauth-authorization-server', { host: 'evil.example' });
    expect(JSON.parse(metadata).issuer).toBe(bench.issuer);
    expect(metadata).not.toContain('evil');
  });

  test('a wrong method, a wrong body and a large body get OAuth errors', async () => {
    const get = await fetch(tokenUrl());
    expect([get.status, get.headers.get('allow'), (await get.json()).error]).toEqual([
      405,
      'POST',
      'invalid_request',
    ]);
    const json = await fetch(tokenUrl(), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect([json.status, (await json.json()).error]).toEqual([400, 'invalid_request']);
    const large = await post(tokenUrl(), { form: { grant_type: 'x'.repeat(40_000) } });
    expect([large.status, large.body.error]).toEqual([413, 'invalid_request']);
  });

  test('parameters that stand twice are invalid_request', async () => {
    const body = 'grant_type=client_credentials&grant_type=client_credentials&client_id=a&client_id=b';
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await fetch(tokenUrl(), { method: 'POST', headers, body });
    expect([answer.status, (await answer.json()).error]).toEqual([400, 'invalid_request']);
  });

  test('errors are JSON for browsers too, and answers carry helmet’s headers', async () => {
    const answer = await fetch(tokenUrl(), { method: 'POST', headers: { accept: 'text/html' } });
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(answer.headers.get('x-powered-by')).toBeNull();
  });

  test('tokens are not to be stored by caches', async () => {
    expect((await agent.request()).headers.get('cache-control')).toContain('no-store');
  });
});

describe('rate limits', () => {
  test('an address that asks too often gets 429 with Retry-After', async () => {
    const own = await openBench({ limits: { address: { perSecond: 1, burst: 3 } } });
    const answers = await Promise.all(Array.from({ length: 5 }, () => fetch(`${own.issuer}/jwks`)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(2);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    await own.close();
  });

  test('a client that asks too often gets 429, and others do not', async () => {
    const own = await openBench({ limits: { client: { perSecond: 0.1, burst: 2 } } });
    const [busy, calm] = [await TestAgent.register(own), await TestAgent.register(own)];
    const statuses = [];
    for (let index = 0; index < 3; index += 1) statuses.push((await busy.request()).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect((await calm.request()).status).toBe(200);
    await own.close();
  });

  test('failed authentications cost an address more than good ones', async () => {
    const own = await openBench({ limits: { address: { perSecond: 0.1, burst: 10 } } });
    const known = await TestAgent.register(own);
    const key = await newKey();
    const statuses = [];
    for (let index = 0; index < 3; index += 1) {
      const assertion = await makeAssertion(key, { clientId: known.id, audience: own.issuer });
      statuses.push((await known.request({ assertion })).status);
    }
    expect(statuses).toEqual([401, 401, 429]);
    await own.close();
  });
});

function rawGet(path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    request(`${bench.issuer}${path}`, { headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve(Buffer.concat(chunks).toString()));
    })
      .on('error', reject)
      .end();
  });
}
