import { decodeJwt } from 'jose';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askJson, initialToken } from '../support/enrolment.ts';
import {
  ASSERTION_TYPE,
  type Bench,
  makeAssertion,
  makeProof,
  newKey,
  openBench,
  post,
  TestAgent,
  type TestKey,
} from '../unit/passport/support.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const bearer = (token: unknown) => ({ authorization: `Bearer ${String(token)}` });
const register = (token: string, body: Record<string, unknown>) =>
  askJson('POST', `${bench.issuer}/register`, { body, headers: bearer(token) });
const manage = (method: string, id: unknown, token: unknown, body?: Record<string, unknown>) =>
  askJson(method, `${bench.issuer}/register/${String(id)}`, {
    headers: bearer(token),
    ...(body === undefined ? {} : { body }),
  });
const countAgents = async () => (await bench.room.agents.list({ after: null, limit: 200 })).length;

async function registered(scopes = ['github:read', 'github:write']) {
  const key = await newKey();
  const { token } = await initialToken(bench, { scopes });
  const { status, body } = await register(token, {
    client_name: 'My Agent!',
    jwks: { keys: [key.publicJwk] },
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return { key, id: String(body.client_id), token: String(body.registration_access_token), body };
}

async function passportFor(id: string, key: TestKey, scope?: string) {
  const dpop = await newKey();
  const kid = key.thumbprint;
  return post(`${bench.issuer}/token`, {
    form: {
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await makeAssertion(key, {
        clientId: id,
        audience: bench.identifier,
        header: { kid },
      }),
      ...(scope === undefined ? {} : { scope }),
    },
    headers: { dpop: await makeProof(dpop, { htm: 'POST', htu: `${bench.identifier}/token` }) },
  });
}

describe('dynamic client registration (RFC 7591)', () => {
  test('an agent with an initial access token registers its key and gets a passport', async () => {
    const { key, id, body } = await registered();
    expect(body).toMatchObject({
      client_name: 'my-agent',
      scope: 'github:read github:write',
      token_endpoint_auth_method: 'private_key_jwt',
      registration_client_uri: `${bench.identifier}/register/${id}`,
    });
    expect(body).not.toHaveProperty('client_secret');
    const { status, body: issued } = await passportFor(id, key, 'github:read');
    expect(status).toBe(200);
    expect(decodeJwt(String(issued.access_token))).toMatchObject({
      client_id: id,
      owner: 'alice@example.com',
    });
  });

  test('openid-client registers and is given a client that works', async () => {
    const { token } = await initialToken(bench);
    const config = await openid.dynamicClientRegistration(
      new URL(bench.issuer),
      { client_name: 'openid client', token_endpoint_auth_method: 'client_secret_post' },
      undefined,
      { initialAccessToken: token, algorithm: 'oauth2', execute: [openid.allowInsecureRequests] },
    );
    const dpop = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
    const issued = await openid.clientCredentialsGrant(config, { scope: 'github:read' }, { DPoP: dpop });
    expect(issued.scope).toBe('github:read');
  });

  test('an initial token counts its uses: of twenty registrations at once with two left, two pass', async () => {
    const { token } = await initialToken(bench, { maxUses: 2 });
    const before = await countAgents();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        register(token, { token_endpoint_auth_method: 'client_secret_basic' }),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    expect(answers.filter(({ body }) => body.error === 'invalid_token')).toHaveLength(18);
    expect((await countAgents()) - before).toBe(2);
  });

  test.each([
    ['none', async () => null],
    ['an unknown one', async () => `spit_${'x'.repeat(43)}`],
    [
      'a used one',
      async () => {
        const { token } = await initialToken(bench);
        await register(token, { token_endpoint_auth_method: 'client_secret_basic' });
        return token;
      },
    ],
    [
      'an expired one',
      async () => {
        const { token } = await initialToken(bench, { lifetimeMs: 5 });
        await new Promise((resolve) => setTimeout(resolve, 10));
        return token;
      },
    ],
    [
      'one that was deleted',
      async () => {
        const { id, token } = await initialToken(bench);
        await bench.room.initialTokens.delete(id, 'admin');
        return token;
      },
    ],
    ['a registration token', async () => (await registered()).token],
  ])('without a good initial token (%s) nobody registers', async (_which, given) => {
    const token = await given();
    const before = await countAgents();
    const { status, body, headers } = await askJson('POST', `${bench.issuer}/register`, {
      body: { token_endpoint_auth_method: 'client_secret_basic' },
      ...(token === null ? {} : { headers: bearer(token) }),
    });
    expect([status, body.error]).toEqual([401, 'invalid_token']);
    expect(headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    expect(await countAgents()).toBe(before);
  });

  test.each([
    ['a scope beyond the initial token', { scope: 'bank:transfer' }],
    ['keys by address', { jwks_uri: 'https://keys.example/jwks' }],
    ['a response type that is not offered', { response_types: ['token'] }],
    ['a grant that is not offered', { grant_types: ['implicit'] }],
    ['a way to authenticate that is not offered', { token_endpoint_auth_method: 'tls_client_auth' }],
    ['nothing to authenticate with, and no way to ask people', { token_endpoint_auth_method: 'none' }],
    ['private_key_jwt without keys', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }],
    ['a name that is no text', { client_name: 7 }],
    ['a name of 300 characters', { client_name: 'x'.repeat(300) }],
  ])('%s is invalid_client_metadata, and uses nothing up', async (_what, metadata) => {
    const { id, token } = await initialToken(bench);
    const { status, body } = await register(token, {
      token_endpoint_auth_method: 'client_secret_basic',
      ...metadata,
    });
    expect([status, body.error]).toEqual([400, 'invalid_client_metadata']);
    expect((await bench.room.initialTokens.list()).find((one) => one.id === id)?.used).toBe(0);
  });

  test('redirects can become fewer by a PUT, never others', async () => {
    const { token } = await initialToken(bench);
    const redirect_uris = ['https://app.example/a', 'https://app.example/b'];
    const { body } = await register(token, { token_endpoint_auth_method: 'none', redirect_uris });
    const put = async (held: unknown, change: object) => {
      const answer = await fetch(String(body.registration_client_uri), {
        method: 'PUT',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${held}` },
        body: JSON.stringify({ client_id: body.client_id, token_endpoint_auth_method: 'none', ...change }),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const other = await put(body.registration_access_token, { redirect_uris: ['https://evil.example/'] });
    expect([other.status, other.body.error]).toEqual([400, 'invalid_client_metadata']);
    const fewer = await put(body.registration_access_token, { redirect_uris: ['https://app.example/a'] });
    expect([fewer.status, fewer.body.redirect_uris]).toEqual([200, ['https://app.example/a']]);
  });

  test('a private key that somebody registers by mistake is refused, and stands in no record', async () => {
    const { token } = await initialToken(bench);
    const { body } = await register(token, {
      jwks: { keys: [{ ...(await newKey()).publicJwk, d: 'not-a-real-private-part' }] },
    });
    expect(body.error).toBe('invalid_client_metadata');
    expect(JSON.stringify(bench.events)).not.toContain('not-a-real-private-part');
  });

  test('tokens stand in no record and in no list', async () => {
    const { token } = await initialToken(bench);
    const made = await registered();
    const shown = JSON.stringify([bench.events, await bench.room.initialTokens.list()]);
    expect(shown).not.toContain(token);
    expect(shown).not.toContain(made.token);
    expect(bench.eventsOf('agent.registered').at(-1)?.data.by).toMatch(/^initial token enrol-/);
  });
});

describe('an initial access token', () => {
  test.each([
    ['without a use', { maxUses: 0 }],
    ['for two years', { expiresAt: Date.now() + 2 * 366 * 24 * 3600 * 1000 }],
    ['that has expired already', { expiresAt: 1000 }],
    ['for a malformed scope', { scopes: ['everything'] }],
    ['for asking about every passport', { scopes: ['introspect'] }],
    ['for saying what users want', { scopes: ['session:instruct'] }],
  ])('%s is not made', async (_what, change) => {
    const wanted = {
      name: 'bad',
      owner: 'a',
      scopes: ['a:b'],
      maxUses: 1,
      expiresAt: Date.now() + 60_000,
      ...change,
    };
    await expect(bench.room.initialTokens.create(wanted, 'admin')).rejects.toMatchObject({
      code: 'input_invalid',
    });
  });
});

describe('managing a registration (RFC 7592)', () => {
  test('its token reads it, puts in another key and changes with it', async () => {
    const { id, token, key } = await registered();
    expect((await manage('GET', id, token)).body.client_id).toBe(id);
    const fresh = await newKey();
    const update = { client_id: id, scope: 'github:read', jwks: { keys: [fresh.publicJwk] } };
    const { status, body } = await manage('PUT', id, token, update);
    expect([status, body.scope]).toEqual([200, 'github:read']);
    expect((await manage('GET', id, token)).status).toBe(401);
    expect((await manage('GET', id, body.registration_access_token)).status).toBe(200);
    expect((await passportFor(id, key)).body.error).toBe('invalid_client');
    expect((await passportFor(id, fresh)).body.scope).toBe('github:read');
  });

  test('of twenty changes with one token at once, one is made', async () => {
    const { id, token } = await registered();
    const fresh = await Promise.all(Array.from({ length: 20 }, () => newKey()));
    const answers = await Promise.all(
      fresh.map((key) => manage('PUT', id, token, { client_id: id, jwks: { keys: [key.publicJwk] } })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const won = answers.findIndex(({ status }) => status === 200);
    const kids = (await bench.room.agents.get(id))?.jwks.map(({ kid }) => kid);
    expect(kids).toEqual([fresh[won]?.thumbprint]);
  });

  test.each([
    ['a scope that it does not have', { scope: 'github:read bank:transfer' }, 'invalid_client_metadata'],
    ['another id', { client_id: 'agent_other' }, 'invalid_request'],
    ['a secret of its own choice', { client_secret: 'not-a-real-secret' }, 'invalid_request'],
    ['another registration token', { registration_access_token: 'x' }, 'invalid_request'],
    [
      'another way to authenticate',
      { token_endpoint_auth_method: 'client_secret_basic', jwks: undefined },
      'invalid_client_metadata',
    ],
  ])('%s changes nothing, and the token stays good', async (_what, change, error) => {
    const { id, token, key } = await registered();
    const before = await bench.room.agents.get(id);
    const { status, body } = await manage('PUT', id, token, {
      client_id: id,
      jwks: { keys: [key.publicJwk] },
      ...change,
    });
    expect([status, body.error]).toEqual([400, error]);
    expect(await bench.room.agents.get(id)).toEqual(before);
    expect((await manage('GET', id, token)).status).toBe(200);
  });

  test('a scope that an administrator took away does not come back', async () => {
    const { id, token, key } = await registered();
    await bench.room.agents.update(id, { scopes: ['github:read'] }, 'admin');
    const { body } = await manage('PUT', id, token, {
      client_id: id,
      scope: 'github:read github:write',
      jwks: { keys: [key.publicJwk] },
    });
    expect(body.error).toBe('invalid_client_metadata');
  });

  test('the token of one agent is worth nothing for another, and for one that an administrator registered', async () => {
    const [one, two] = [await registered(), await registered()];
    const byHand = await TestAgent.register(bench);
    for (const id of [two.id, byHand.id, 'agent_nobody']) {
      const { status, body } = await manage('GET', id, one.token);
      expect([status, body.error]).toEqual([401, 'invalid_token']);
    }
    expect((await manage('DELETE', two.id, one.token)).status).toBe(401);
  });

  test('who leaves is gone with all passports, and so is the token', async () => {
    const { id, token, key } = await registered();
    await passportFor(id, key);
    expect((await manage('DELETE', id, token)).status).toBe(204);
    expect((await bench.room.agents.get(id))?.status).toBe('deleted');
    expect((await manage('GET', id, token)).body.error).toBe('invalid_token');
    expect((await passportFor(id, key)).body.error).toBe('invalid_client');
  });

  test('a quarantined agent can not change, leave or read itself', async () => {
    const { id, token, key } = await registered();
    await bench.room.agents.quarantine(id, 'test', 'admin');
    const update = { client_id: id, jwks: { keys: [key.publicJwk] } };
    for (const [method, body] of [['GET'], ['PUT', update], ['DELETE']] as const) {
      const answer = await manage(method, id, token, body);
      expect([method, answer.status, answer.body.error]).toEqual([method, 403, 'unauthorized_client']);
    }
    expect((await bench.room.agents.get(id))?.status).toBe('quarantined');
  });
});
