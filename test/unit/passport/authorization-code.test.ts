import { createHmac, randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  AskingAgent,
  backWith,
  decide,
  newPerson,
  REDIRECT,
  type TestPerson,
} from '../../support/consent.ts';
import { type Bench, GATE, newKey, openBench, post, TestAgent } from './support.ts';

let bench: Bench;
let person: TestPerson;
let agent: AskingAgent;

beforeAll(async () => {
  bench = await openBench({ resources: ['https://files.example'] });
  person = await newPerson(bench);
});
beforeEach(async () => {
  bench.clock.aheadMs = 0;
  agent = await AskingAgent.register(bench);
});
afterAll(() => bench?.close());

const DETAILS = [
  { type: 'tool_call', service: 'github', method: 'PUT', path: '/repos/acme/*', max_calls: 3 },
  { type: 'tool_call', service: 'github', arguments: { 'body.amount': { max: 100 } } },
];
const details = JSON.stringify(DETAILS);

/** The error that the client is told, in its own redirect. */
const toldClient = async (parameters: Record<string, string>) => {
  const visited = await person.browser.visit(agent.url(parameters));
  expect(visited.leftTo?.startsWith(REDIRECT)).toBe(true);
  return backWith(visited);
};

describe('what a person sees and decides', () => {
  test('signs in, sees who asks for what, where and for how long, and the agent gets a passport in their name', async () => {
    const asked = await AskingAgent.register(bench, { purpose: 'mends issues' });
    const browser = await person.signIn();
    const page = await browser.visit(asked.url({ authorization_details: details, resource: GATE }));
    for (const word of [
      asked.agent.name,
      'team-a',
      'mends issues',
      'app.example',
      GATE,
      'github: read',
      'github: write',
      'PUT requests to github, path /repos/acme/*, 3 times at most',
      'only where body.amount is at most 100',
      person.name,
    ]) {
      expect(page.text).toContain(word);
    }
    const back = backWith(await decide(browser, page));
    expect([back.get('state'), back.get('iss'), back.getAll('code').length]).toEqual([
      'a state/with&signs',
      bench.issuer,
      1,
    ]);
    const { status, body, headers } = await asked.redeem(String(back.get('code')), { resource: GATE });
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toMatchObject({ token_type: 'DPoP', scope: 'github:read github:write' });
    expect(decodeJwt(String(body.access_token))).toMatchObject({
      sub: person.id,
      act: { sub: asked.id },
      client_id: asked.id,
      aud: GATE,
      cnf: { jkt: asked.dpop.thumbprint },
      authorization_details: DETAILS,
    });
    expect(await asked.isLive(String(body.access_token))).toBe(true);
    const [given] = bench.eventsOf('grant.given').slice(-1);
    expect(given?.data).toMatchObject({
      by: person.name,
      changes: { agent: asked.id, scope: 'github:read github:write' },
    });
  });

  test('leads whoever is not signed in to the sign-in page and back, and to nowhere else', async () => {
    const other = await person.signIn();
    other.cookies.delete('sallyport-session');
    const page = await other.visit(agent.url());
    expect(new URL(page.url).pathname).toBe('/signin');
    expect(new URL(page.url).searchParams.get('continue')).toMatch(/^\/consent\/[\w-]{43}$/);
    const consent = await other.submit(page, { name: person.name, password: 'four visibly fake words' });
    expect(consent.text).toContain(agent.agent.name);
  });

  test('takes scopes and details off, and chooses one passport without a refresh token', async () => {
    const { body } = await agent.tokens(
      person,
      { authorization_details: details },
      { scope: ['github:read'], detail: ['1'], lifetime: '0' },
    );
    expect(body.scope).toBe('github:read');
    expect(body.authorization_details).toEqual([DETAILS[1]]);
    expect(body.refresh_token).toBeUndefined();
  });

  test('sees no scope that the agent may never have, whatever it asks for', async () => {
    const page = await person.browser.visit(agent.url({ scope: 'github:read github:admin introspect' }));
    expect(page.text).not.toMatch(/github: admin|introspect/);
    const { body } = await agent.redeem(String(backWith(await decide(person.browser, page)).get('code')));
    expect(body.scope).toBe('github:read');
  });

  test('can add nothing to what was asked for, nor take off so much that it would mean everything', async () => {
    const page = await person.browser.visit(
      agent.url({ scope: 'github:read', authorization_details: details }),
    );
    const more = await decide(person.browser, page, { scope: ['github:write'] });
    expect([more.status, more.leftTo]).toEqual([400, null]);
    const none = await decide(person.browser, page, { detail: [] });
    expect([none.status, none.leftTo]).toEqual([400, null]);
    const long = await decide(person.browser, page, { lifetime: '999999999' });
    expect([long.status, long.leftTo]).toEqual([400, null]);
    const both = await decide(person.browser, page, {
      scope: ['github:read', 'github:write'],
      detail: ['0', '7'],
    });
    const { body } = await agent.redeem(String(backWith(both).get('code')));
    expect([body.scope, body.authorization_details]).toEqual(['github:read', [DETAILS[0]]]);
  });

  test('says no, and the agent is told so with its state and who says it', async () => {
    const page = await person.browser.visit(agent.url());
    const back = backWith(await decide(person.browser, page, { decision: 'deny' }));
    expect([back.get('error'), back.get('state'), back.get('iss'), back.get('code')]).toEqual([
      'access_denied',
      'a state/with&signs',
      bench.issuer,
      null,
    ]);
    expect(bench.eventsOf('grant.refused').slice(-1)[0]?.data).toMatchObject({ by: person.name });
  });

  test('shows a program on the same machine as one that could be any', async () => {
    const local = await AskingAgent.register(bench, {
      publicClient: true,
      redirectUris: ['http://127.0.0.1/callback', 'http://[::1]/callback'],
    });
    const page = await person.browser.visit(local.url({ redirect_uri: 'http://127.0.0.1:54321/callback' }));
    expect(page.text).toContain('127.0.0.1:54321');
    expect(page.text).toContain('Any program here');
    expect(page.headers.get('content-security-policy')).toContain(
      "form-action 'self' http://127.0.0.1:54321;",
    );
    const sixth = await person.browser.visit(local.url({ redirect_uri: 'http://[::1]:54321/callback' }));
    const left = await decide(person.browser, sixth);
    expect(left.leftTo).toMatch(/^http:\/\/\[::1\]:54321\/callback\?code=/);
  });

  test('can not be framed, runs no script, and its form leads to the agent alone', async () => {
    const page = await person.browser.visit(agent.url());
    const csp = page.headers.get('content-security-policy') ?? '';
    expect(csp).toContain("frame-ancestors 'none'");
    expect(csp).toContain("default-src 'none'");
    expect(csp).toContain("form-action 'self' https://app.example;");
    expect(page.text).not.toMatch(/<script|\sstyle=|\son\w+=/);
    expect(page.headers.get('referrer-policy')).toBe('same-origin');
  });

  test('names of agents and their purposes are text on the page, never markup', async () => {
    const hostile = await AskingAgent.register(bench, { purpose: '<img src=x onerror=alert(1)>"\'&' });
    const page = await person.browser.visit(hostile.url());
    expect(page.text).not.toContain('<img');
    expect(page.text).toContain('&#60;img');
  });

  test('a form from another site, without its token, or in another browser decides nothing', async () => {
    const page = await person.browser.visit(agent.url());
    for (const attempt of [
      () => person.browser.submit(page, { decision: 'allow', csrf: 'made-up' }),
      () =>
        person.browser.submit(page, { decision: 'allow' }, { headers: { origin: 'https://evil.example' } }),
      () =>
        person.browser.submit(page, { decision: 'allow' }, { headers: { 'sec-fetch-site': 'cross-site' } }),
    ]) {
      const answer = await attempt();
      expect([answer.status, answer.leftTo]).toEqual([403, null]);
    }
    const other = await person.signIn();
    expect((await other.visit(page.url)).status).toBe(404);
    expect(backWith(await decide(person.browser, page)).get('code')).not.toBeNull();
  });

  test('of twenty answers to one question at once, one counts', async () => {
    const page = await person.browser.visit(agent.url());
    const all = await Promise.all(Array.from({ length: 20 }, () => decide(person.browser, page)));
    expect(all.filter(({ leftTo }) => leftTo !== null)).toHaveLength(1);
  });
});

describe('what is told on a page, and sends nobody anywhere', () => {
  test.each<[string, Record<string, string>]>([
    ['a client that is not known', { client_id: 'agent_nobody' }],
    ['a redirect URI that is not registered', { redirect_uri: 'https://evil.example/callback' }],
    ['one with more in its path', { redirect_uri: `${REDIRECT}/more` }],
    ['one with a query', { redirect_uri: `${REDIRECT}?a=b` }],
    ['one of another case', { redirect_uri: 'https://app.example/Callback' }],
    ['one with a user in it', { redirect_uri: 'https://app.example@evil.example/callback' }],
    ['one that climbs', { redirect_uri: 'https://app.example/callback/../callback' }],
    ['one with another port', { redirect_uri: 'https://app.example:8443/callback' }],
    ['a script', { redirect_uri: 'javascript:alert(1)' }],
    [
      'a request_uri that nobody pushed',
      { request_uri: `urn:ietf:params:oauth:request_uri:${'a'.repeat(43)}` },
    ],
    ['a request_uri that is elsewhere', { request_uri: 'https://evil.example/request.jwt' }],
  ])('%s', async (_what, parameters) => {
    const visited = await person.browser.visit(agent.url(parameters));
    expect([visited.status, visited.leftTo]).toEqual([400, null]);
    expect(visited.text).toContain('Nothing was allowed');
  });

  test('an agent without redirect URIs, one that is quarantined, and a parameter that stands twice', async () => {
    const bare = await TestAgent.register(bench);
    const query = agent.url().split('?')[1];
    for (const url of [
      agent.url({ client_id: bare.id }),
      `${bench.issuer}/authorize?${query}&redirect_uri=${encodeURIComponent(REDIRECT)}`,
      `${bench.issuer}/authorize?${query}&client_id=${agent.id}`,
    ]) {
      const visited = await person.browser.visit(url);
      expect([visited.status, visited.leftTo]).toEqual([400, null]);
    }
    await bench.room.agents.quarantine(agent.id, null, 'admin');
    expect((await person.browser.visit(agent.url())).status).toBe(400);
  });

  test('a loopback address of another path, and a port where one is registered', async () => {
    const local = await AskingAgent.register(bench, {
      redirectUris: ['http://127.0.0.1/callback', 'http://localhost:8080/callback'],
    });
    for (const redirect of [
      'http://127.0.0.1:4000/other',
      'http://localhost:8081/callback',
      'http://127.0.0.2:4000/callback',
      'http://127.0.0.1.evil.example:4000/callback',
      'https://127.0.0.1:4000/callback',
    ]) {
      expect((await person.browser.visit(local.url({ redirect_uri: redirect }))).status, redirect).toBe(400);
    }
    expect(
      (await person.browser.visit(local.url({ redirect_uri: 'http://127.0.0.1:4000/callback' }))).status,
    ).toBe(200);
  });
});

describe('what the client is told by its redirect, with state and iss', () => {
  test.each<[string, string, Record<string, string>]>([
    ['no response type', 'invalid_request', { response_type: '' }],
    ['implicit flow', 'unsupported_response_type', { response_type: 'token' }],
    ['no PKCE', 'invalid_request', { code_challenge: '', code_challenge_method: '' }],
    ['PKCE without its method, which would be plain', 'invalid_request', { code_challenge_method: '' }],
    ['PKCE plain', 'invalid_request', { code_challenge_method: 'plain' }],
    ['a challenge that is no hash', 'invalid_request', { code_challenge: 'short' }],
    ['a fragment as answer', 'invalid_request', { response_mode: 'fragment' }],
    ['a request object', 'request_not_supported', { request: 'e30.e30.' }],
    ['a scope that is not registered', 'invalid_scope', { scope: 'github:admin' }],
    ['a resource that is not known', 'invalid_target', { resource: 'https://evil.example' }],
    [
      'details that can not be read',
      'invalid_authorization_details',
      { authorization_details: '[{"type":"x"}]' },
    ],
    ['no page may be shown', 'consent_required', { prompt: 'none' }],
    ['a prompt that nobody knows', 'invalid_request', { prompt: 'create' }],
    ['an age that is none', 'invalid_request', { max_age: 'young' }],
    ['a key that is none', 'invalid_request', { dpop_jkt: 'x' }],
  ])('%s: %s', async (_what, error, parameters) => {
    const back = await toldClient(parameters);
    expect([back.get('error'), back.get('state'), back.get('iss')]).toEqual([
      error,
      'a state/with&signs',
      bench.issuer,
    ]);
  });

  test('details beyond their limit', async () => {
    const many = JSON.stringify(Array.from({ length: 17 }, () => DETAILS[0]));
    expect((await toldClient({ authorization_details: many })).get('error')).toBe(
      'invalid_authorization_details',
    );
  });

  test('prompt=none without anybody signed in is login_required', async () => {
    const browser = await person.signIn();
    browser.cookies.delete('sallyport-session');
    expect(backWith(await browser.visit(agent.url({ prompt: 'none' }))).get('error')).toBe('login_required');
  });

  test('prompt=login and max_age ask for the password again', async () => {
    const { browser } = person;
    expect(new URL((await browser.visit(agent.url({ prompt: 'login' }))).url).pathname).toBe('/signin');
    expect(new URL((await browser.visit(agent.url({ max_age: '0' }))).url).pathname).toBe('/signin');
    expect((await browser.visit(agent.url({ max_age: '3600' }))).text).toContain(
      'May this agent act for you?',
    );
  });
});

describe('the code', () => {
  test('is exchanged once; what comes again ends what it gave, and people are told', async () => {
    const code = await agent.code(person);
    const first = await agent.redeem(code);
    expect(await agent.isLive(String(first.body.access_token))).toBe(true);
    const again = await agent.redeem(code);
    expect([again.status, again.body.error]).toEqual([400, 'invalid_grant']);
    expect(await agent.isLive(String(first.body.access_token))).toBe(false);
    expect((await agent.refresh(String(first.body.refresh_token))).body.error).toBe('invalid_grant');
    expect(bench.eventsOf('alert.raised').slice(-1)[0]?.data.findings[0]?.check).toBe(
      'identity.grant_reused',
    );
    expect(bench.eventsOf('grant.ended').slice(-1)[0]?.data.changes).toMatchObject({ agent: agent.id });
  });

  test('of twenty exchanges at once one gets a passport, and it ends with the others’ attempt', async () => {
    const code = await agent.code(person);
    const all = await Promise.all(Array.from({ length: 20 }, () => agent.redeem(code)));
    const got = all.filter(({ status }) => status === 200);
    expect(got).toHaveLength(1);
    expect(all.filter(({ body }) => body.error === 'invalid_grant')).toHaveLength(19);
    expect(await agent.isLive(String(got[0]?.body.access_token))).toBe(false);
  });

  test.each<[string, Record<string, string>, string]>([
    ['without its verifier', { code_verifier: '' }, 'invalid_request'],
    ['with another verifier', { code_verifier: 'x'.repeat(43) }, 'invalid_grant'],
    ['with a verifier that is too short', { code_verifier: 'short' }, 'invalid_grant'],
    ['with another redirect URI', { redirect_uri: 'https://app.example/other' }, 'invalid_grant'],
    ['for another resource', { resource: 'https://files.example' }, 'invalid_target'],
    ['for a resource that is not known', { resource: 'https://evil.example' }, 'invalid_target'],
    [
      'with details beyond those',
      { authorization_details: '[{"type":"tool_call","service":"npm"}]' },
      'invalid_authorization_details',
    ],
  ])('is worth nothing %s, and is still good for its own client after that', async (_how, form, error) => {
    const code = await agent.code(person, { authorization_details: details });
    const refused = await agent.redeem(code, form);
    expect([refused.status, refused.body.error]).toEqual([400, error]);
    expect((await agent.redeem(code)).status).toBe(200);
  });

  test('is worth nothing to another client, to none, and with a wrong key of the client', async () => {
    const code = await agent.code(person);
    const thief = await AskingAgent.register(bench);
    expect((await thief.redeem(code, { code_verifier: agent.verifier })).body.error).toBe('invalid_grant');
    const named = await thief.redeem(code, { client_id: agent.id, code_verifier: agent.verifier });
    expect(named.status).toBe(401);
    const impostor = new AskingAgent(bench, agent.agent, await newKey(), agent.dpop);
    expect((await impostor.redeem(code, { code_verifier: agent.verifier })).body.error).toBe(
      'invalid_client',
    );
    const public_ = new AskingAgent(bench, agent.agent, null, agent.dpop);
    expect((await public_.redeem(code, { code_verifier: agent.verifier })).body.error).toBe('invalid_client');
    expect((await agent.redeem(code)).status).toBe(200);
  });

  test('needs a DPoP proof, and the key that it was bound to', async () => {
    const bound = await agent.code(person, { dpop_jkt: agent.dpop.thumbprint });
    expect((await agent.redeem(bound, {}, { dpop: null })).body.error).toBe('invalid_grant');
    expect((await agent.redeem(bound, {}, { dpop: await newKey() })).body.error).toBe('invalid_dpop_proof');
    expect((await agent.redeem(bound)).status).toBe(200);
  });

  test('is worth nothing with an assertion or a proof that nobody signed, or that the public key signed', async () => {
    const code = await agent.code(person);
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = (await agent.authentication()).client_assertion ?? '';
    const [, claims = '', signature = ''] = signed.split('.');
    const key = Buffer.from(JSON.stringify(agent.key?.publicJwk));
    const text = `${encode({ alg: 'HS256', kid: agent.key?.thumbprint })}.${claims}`;
    const confused = `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
    for (const client_assertion of [
      `${encode({ alg: 'none' })}.${claims}.`,
      `${encode({ alg: 'none', kid: agent.key?.thumbprint })}.${claims}.${signature}`,
      confused,
    ]) {
      const { status, body } = await agent.redeem(code, { client_assertion });
      expect([status, body.error]).toEqual([401, 'invalid_client']);
    }
    const form = {
      grant_type: 'authorization_code',
      code,
      code_verifier: agent.verifier,
      ...(await agent.authentication()),
    };
    const proofClaims = {
      jti: 'x',
      htm: 'POST',
      htu: `${bench.issuer}/token`,
      iat: Math.floor(Date.now() / 1000),
    };
    for (const header of [
      { typ: 'dpop+jwt', alg: 'none', jwk: agent.dpop.publicJwk },
      { typ: 'dpop+jwt', alg: 'HS256', jwk: { kty: 'oct', k: 'AAAA' } },
    ]) {
      const dpop = `${encode(header)}.${encode(proofClaims)}.AAAA`;
      const { body } = await post(`${bench.issuer}/token`, { form, headers: { dpop } });
      expect(body.error).toBe('invalid_dpop_proof');
    }
    expect((await agent.redeem(code)).status).toBe(200);
  });

  test('is over after a minute', async () => {
    // A client assertion would be over before it.
    const open = await AskingAgent.register(bench, { publicClient: true });
    const code = await open.code(person);
    bench.clock.aheadMs = 61_000;
    expect((await open.redeem(code)).body.error).toBe('invalid_grant');
  });

  test('made up, or of another time, is no code', async () => {
    expect((await agent.redeem(randomBytes(32).toString('base64url'))).body.error).toBe('invalid_grant');
    expect((await agent.redeem('')).body.error).toBe('invalid_request');
  });

  test('dies with what is revoked between consent and exchange: user, agent, session, hop', async () => {
    const other = await newPerson(bench);
    const revoke = (kind: 'user' | 'agent' | 'session' | 'hop', value: string) =>
      bench.room.revocations.revoke({ tenant: 'default', kind, value, by: 'admin', reason: null });
    const ofUser = await agent.code(other);
    await revoke('user', other.id);
    expect((await agent.redeem(ofUser)).body.error).toBe('invalid_grant');

    const ofHop = await agent.code(person);
    const [grant] = await bench.storage.personGrants.list('default', {
      userId: person.id,
      after: null,
      limit: 1,
    });
    await revoke('hop', String(grant?.hop));
    expect(await bench.room.personGrants.get(String(grant?.id))).toMatchObject({
      status: 'ended',
      endedBy: 'admin',
    });
    expect((await agent.redeem(ofHop)).body.error).toBe('invalid_grant');

    const ofAgent = await agent.code(person);
    await revoke('agent', agent.id);
    expect((await agent.redeem(ofAgent)).body.error).toBe('invalid_client');
    await bench.room.agents.release(agent.id, 'admin');
    expect((await agent.redeem(ofAgent)).body.error).toBe('invalid_grant');

    const last = await AskingAgent.register(bench);
    const ofSession = await last.code(person);
    const [held] = await bench.storage.personGrants.list('default', {
      agentId: last.id,
      after: null,
      limit: 1,
    });
    await revoke('session', String(held?.sid));
    expect((await last.redeem(ofSession)).body.error).toBe('invalid_grant');
  });

  test('dies with a user who is disabled, also where the user comes back', async () => {
    const other = await newPerson(bench);
    const code = await agent.code(other);
    await bench.people.users.disable(other.id, 'admin');
    expect((await agent.redeem(code)).body.error).toBe('invalid_grant');
    await bench.people.users.enable(other.id, 'admin');
    expect((await agent.redeem(code)).body.error).toBe('invalid_grant');
  });
});

describe('pushed authorization requests (RFC 9126)', () => {
  const push = (form: Record<string, string> = {}, o = {}) =>
    agent.send('/par', { ...agent.parameters(), ...form }, o);
  const byUri = (uri: unknown, clientId = agent.id) =>
    `${bench.issuer}/authorize?${new URLSearchParams({ client_id: clientId, request_uri: String(uri) })}`;

  test('are authenticated, used once, and what stands in the address beside them counts for nothing', async () => {
    const { status, body } = await push({ scope: 'github:read' });
    expect([status, body.expires_in]).toEqual([201, 90]);
    const page = await person.browser.visit(
      `${byUri(body.request_uri)}&scope=github:write&redirect_uri=https://evil.example`,
    );
    expect(page.text).toContain('github: read');
    expect(page.text).not.toContain('github: write');
    expect((await person.browser.visit(byUri(body.request_uri))).status).toBe(400);
    const back = backWith(await decide(person.browser, page));
    expect((await agent.redeem(String(back.get('code')))).body.scope).toBe('github:read');
  });

  test('bind the code to the key of their DPoP proof', async () => {
    const { body } = await push();
    const back = backWith(await decide(person.browser, await person.browser.visit(byUri(body.request_uri))));
    const code = String(back.get('code'));
    expect((await agent.redeem(code, {}, { dpop: await newKey() })).body.error).toBe('invalid_dpop_proof');
    expect((await agent.redeem(code)).status).toBe(200);
    const other = await push({ dpop_jkt: (await newKey()).thumbprint });
    expect(other.body.error).toBe('invalid_request');
  });

  test('are over after ninety seconds, and are no one else’s', async () => {
    const { body } = await push();
    const other = await AskingAgent.register(bench);
    expect((await person.browser.visit(byUri(body.request_uri, other.id))).status).toBe(400);
    const late = await push();
    bench.clock.aheadMs = 91_000;
    expect((await person.browser.visit(byUri(late.body.request_uri))).status).toBe(400);
  });

  test.each<[string, Record<string, string>, string]>([
    ['no PKCE', { code_challenge: '' }, 'invalid_request'],
    ['a foreign redirect', { redirect_uri: 'https://evil.example' }, 'invalid_request'],
    ['another client', { client_id: 'agent_other' }, 'invalid_client'],
    ['a request_uri', { request_uri: 'urn:x' }, 'invalid_request'],
    ['a scope beyond', { scope: 'github:admin' }, 'invalid_scope'],
  ])('with %s are refused at once', async (_what, form, error) => {
    expect((await push(form)).body.error).toBe(error);
  });

  test('without authentication are refused, and an assertion is good for one', async () => {
    const bare = new AskingAgent(bench, agent.agent, null, agent.dpop);
    expect((await bare.send('/par', bare.parameters())).status).toBe(401);
    const authentication = await agent.authentication();
    const again = () => agent.send('/par', { ...agent.parameters(), ...authentication });
    const all = await Promise.all(Array.from({ length: 20 }, again));
    expect(all.filter(({ status }) => status === 201)).toHaveLength(1);
  });
});
