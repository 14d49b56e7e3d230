import {
  auth,
  DpopSession,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  PrivateKeyJwtProvider,
  type StoredOAuthTokens,
  withOAuth,
} from '@modelcontextprotocol/client';
import { decodeJwt, exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { protectedResourceMetadata } from '../../src/passport/index.ts';
import { AskingAgent, backWith, decide, newPerson, REDIRECT, type TestPerson } from '../support/consent.ts';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';
import { makeProof, newKey, post, type TestAgent } from '../unit/passport/support.ts';

/** MCP authorization, revision 2026-07-28. Each test carries what it holds us to; A9 is in client-documents.test.ts. */
const OTHER = 'https://files.example';
let gate: RealGate;
let upstream: EchoUpstream;
let agent: TestAgent;
let gateway: string;
let issuer: string;

beforeAll(async () => {
  upstream = await openEchoUpstream();
  gate = await openRealGate({
    bench: { resources: [OTHER] },
    options: {
      resourceMetadata: () =>
        protectedResourceMetadata({
          resource: gate.gateway.publicUrl,
          issuer: gate.bench.identifier,
          scopes: ['mcp:read', 'mcp:write'],
          bearer: 'never',
          mtls: false,
        }),
    },
  });
  await gate.services.put(
    { name: 'mcp', origins: [`http://mcp.example:${upstream.port}`], credential: null, allowPrivate: true },
    'admin',
  );
  agent = await gate.newAgent(['mcp:read', 'mcp:write']);
  gateway = gate.gateway.publicUrl;
  issuer = gate.bench.issuer;
});
afterAll(async () => {
  await gate?.close();
  upstream?.close();
});

const json = async (url: string) => (await fetch(url)).json() as Promise<Record<string, unknown>>;

/** A call with this token, the proof fitting. */
async function call(token: string, o: { method?: string; path?: string; scheme?: string } = {}) {
  const { method = 'GET', path = '/s/mcp/tools', scheme = 'DPoP' } = o;
  const proof = await makeProof(agent.dpop, { htm: method, htu: `${gateway}${path}`, accessToken: token });
  return fetch(`${gateway}${path}`, {
    method,
    headers: { authorization: `${scheme} ${token}`, dpop: proof },
  });
}

describe('the authorization server', () => {
  test('A2: offers RFC 8414 metadata and OpenID discovery, and both say the same', async () => {
    const oauth = await json(`${issuer}/.well-known/oauth-authorization-server`);
    const openid = await json(`${issuer}/.well-known/openid-configuration`);
    expect(openid).toMatchObject(oauth);
    expect(oauth.token_endpoint).toBe(`${issuer}/token`);
  });

  test('A3: names the issuer that the address of the metadata was made of', async () => {
    expect((await json(`${issuer}/.well-known/oauth-authorization-server`)).issuer).toBe(issuer);
  });

  test('A11: issues short-lived tokens', async () => {
    const { exp = 0, iat = 0 } = decodeJwt(await agent.passport());
    expect(exp - iat).toBeLessThanOrEqual(300);
  });

  test('A12: binds the token to the resource that was asked for, and to no other', async () => {
    expect(decodeJwt(await agent.passport({ resource: gateway })).aud).toBe(gateway);
    expect(decodeJwt(await agent.passport({ resource: OTHER })).aud).toBe(OTHER);
    const { status, body } = await agent.request({ form: { resource: 'https://evil.example' } });
    expect([status, body.error]).toEqual([400, 'invalid_target']);
  });

  test('A12: two resources in one request are refused, not narrowed in silence', async () => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await agent.assertion(),
    });
    form.append('resource', gateway);
    form.append('resource', OTHER);
    const proof = await makeProof(agent.dpop, { htm: 'POST', htu: `${issuer}/token` });
    const { status, body } = await post(`${issuer}/token`, { form, headers: { dpop: proof } });
    expect([status, body.error]).toEqual([400, 'invalid_request']);
  });

  test('client credentials extension: private_key_jwt is offered, with its algorithms', async () => {
    const metadata = await json(`${issuer}/.well-known/oauth-authorization-server`);
    expect(metadata.grant_types_supported).toContain('client_credentials');
    expect(metadata.token_endpoint_auth_methods_supported).toContain('private_key_jwt');
    expect(metadata.token_endpoint_auth_signing_alg_values_supported).toContain('ES256');
  });

  test('DPoP extension: the algorithms stand in the metadata, and tokens carry the thumbprint', async () => {
    const metadata = await json(`${issuer}/.well-known/oauth-authorization-server`);
    expect(metadata.dpop_signing_alg_values_supported).toContain('ES256');
    const { body } = await agent.request();
    expect(body.token_type).toBe('DPoP');
    expect(decodeJwt(String(body.access_token)).cnf).toEqual({ jkt: agent.dpop.thumbprint });
  });

  test.each([
    ['from before', -600],
    ['from ahead', 600],
  ])('DPoP extension: a proof %s its time is refused', async (_when, seconds) => {
    const iat = Math.floor(Date.now() / 1000) + seconds;
    const proof = await makeProof(agent.dpop, { htm: 'POST', htu: `${issuer}/token`, claims: { iat } });
    expect((await agent.request({ proof })).body.error).toBe('invalid_dpop_proof');
  });
});

describe('the authorization server, where a person lets a client act', () => {
  let person: TestPerson;
  let client: AskingAgent;
  let open: AskingAgent;
  beforeAll(async () => {
    person = await newPerson(gate.bench);
    const scopes = ['mcp:read', 'mcp:write'];
    client = await AskingAgent.register(gate.bench, { scopes });
    open = await AskingAgent.register(gate.bench, { scopes, publicClient: true });
  });
  const back = async (parameters: Record<string, string>) =>
    backWith(await person.browser.visit(client.url(parameters)));

  test('A1: confidential clients authenticate, public ones are held by PKCE and by their key', async () => {
    const code = await client.code(person);
    const bare = new AskingAgent(gate.bench, client.agent, null, client.dpop);
    expect((await bare.redeem(code, { code_verifier: client.verifier })).body.error).toBe('invalid_client');
    const { refresh, body } = await open.tokens(person);
    expect(body.token_type).toBe('DPoP');
    expect((await open.refresh(refresh, {}, { dpop: await newKey() })).body.error).toBe('invalid_grant');
  });

  test('A4: names S256 alone, refuses requests without PKCE, with plain, and with a wrong verifier', async () => {
    const metadata = await json(`${issuer}/.well-known/oauth-authorization-server`);
    expect(metadata.code_challenge_methods_supported).toEqual(['S256']);
    expect((await back({ code_challenge: '' })).get('error')).toBe('invalid_request');
    expect((await back({ code_challenge_method: 'plain' })).get('error')).toBe('invalid_request');
    const code = await client.code(person);
    expect((await client.redeem(code, { code_verifier: '' })).body.error).toBe('invalid_request');
    expect((await client.redeem(code, { code_verifier: 'x'.repeat(43) })).body.error).toBe('invalid_grant');
  });

  test('A5: says in the metadata that it names itself in its answers, and does, in errors as well', async () => {
    const metadata = await json(`${issuer}/.well-known/oauth-authorization-server`);
    expect(metadata.authorization_response_iss_parameter_supported).toBe(true);
    const page = await person.browser.visit(client.url());
    expect(backWith(await decide(person.browser, page)).getAll('iss')).toEqual([issuer]);
    expect((await back({ scope: 'mcp:none' })).getAll('iss')).toEqual([issuer]);
    const other = await person.browser.visit(client.url());
    expect(backWith(await decide(person.browser, other, { decision: 'deny' })).getAll('iss')).toEqual([
      issuer,
    ]);
  });

  test('A6: rotates the refresh tokens of public clients, and ends the family of one that comes twice', async () => {
    const { access, refresh } = await open.tokens(person);
    const next = await open.refresh(refresh);
    expect(next.body.refresh_token).not.toBe(refresh);
    expect((await open.refresh(refresh)).body.error).toBe('invalid_grant');
    expect((await open.refresh(String(next.body.refresh_token))).body.error).toBe('invalid_grant');
    expect(decodeJwt(access).sub).toBe(person.id);
  });

  test('A7: takes https and localhost as redirect URIs and nothing else; its endpoints are those of the issuer', async () => {
    for (const uri of [
      'http://app.example/callback',
      'app.example:/callback',
      'ftp://app.example/',
      'https://a.example/#x',
    ]) {
      await expect(AskingAgent.register(gate.bench, { redirectUris: [uri] }), uri).rejects.toMatchObject({
        code: 'input_invalid',
      });
    }
    for (const uri of ['https://app.example/callback', 'http://localhost:3000/callback']) {
      await AskingAgent.register(gate.bench, { redirectUris: [uri] });
    }
    const metadata = await json(`${issuer}/.well-known/oauth-authorization-server`);
    const endpoints = Object.entries(metadata).filter(([name]) => /_endpoint$|^jwks_uri$/.test(name));
    expect(endpoints.length).toBeGreaterThan(6);
    for (const [name, url] of endpoints) expect(new URL(String(url)).origin, name).toBe(issuer);
  });

  test('A8: compares redirect URIs exactly, and sends nobody anywhere else', async () => {
    for (const redirect of [
      'https://evil.example/back',
      'http://localhost:1/back',
      `${REDIRECT}/`,
      `${REDIRECT}?next=https://evil.example`,
      'https://app.example.evil.example/callback',
    ]) {
      const visited = await person.browser.visit(client.url({ redirect_uri: redirect }));
      expect([visited.status, visited.leftTo], redirect).toEqual([400, null]);
    }
    for (const where of ['https://evil.example', '//evil.example', '/\\\\evil.example', '/admin/v1/agents']) {
      const page = await person.browser.visit(`/signin?continue=${encodeURIComponent(where)}`);
      expect(page.forms[0]?.fields.find(([name]) => name === 'continue')?.[1]).toBe('/account');
    }
  });

  test('A10: registers clients that acts for people, with an initial token alone, and checks their redirects', async () => {
    const { token } = await gate.bench.room.initialTokens.create(
      {
        name: 'mcp-clients',
        owner: 'team-a',
        scopes: ['mcp:read'],
        maxUses: 5,
        expiresAt: Date.now() + 3_600_000,
      },
      'admin',
    );
    const bearer = token.use((bytes) => Buffer.from(bytes).toString('utf8'));
    const register = async (body: object, authorization = `Bearer ${bearer}`) => {
      const answer = await fetch(`${issuer}/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const wanted = {
      client_name: 'MCP client',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/callback'],
    };
    expect((await register(wanted, 'Bearer made-up')).status).toBe(401);
    expect((await register({ ...wanted, redirect_uris: ['http://evil.example/'] })).body.error).toBe(
      'invalid_redirect_uri',
    );
    expect((await register({ ...wanted, redirect_uris: [] })).body.error).toBe('invalid_client_metadata');
    const { status, body } = await register(wanted);
    expect([status, body.token_endpoint_auth_method, body.redirect_uris, body.response_types]).toEqual([
      201,
      'none',
      wanted.redirect_uris,
      ['code'],
    ]);
    expect(body.client_secret).toBeUndefined();
    const agent = await gate.bench.room.agents.get(String(body.client_id));
    if (agent === null) throw new Error('not registered');
    const registered = new AskingAgent(gate.bench, agent, null, await newKey());
    const redirect_uri = 'http://127.0.0.1:50123/callback';
    const code = await registered.code(person, { redirect_uri });
    expect((await registered.redeem(code, { redirect_uri })).status).toBe(200);
  });

  test('A12: binds to the resource of both requests, refuses another one, and asks for none where none is named', async () => {
    const { body } = await client.tokens(person, { resource: OTHER });
    expect(decodeJwt(String(body.access_token)).aud).toBe(OTHER);
    expect((await back({ resource: 'https://evil.example' })).get('error')).toBe('invalid_target');
    const code = await client.code(person, { resource: OTHER });
    expect((await client.redeem(code, { resource: gateway })).body.error).toBe('invalid_target');
    expect((await client.redeem(code, { resource: OTHER })).status).toBe(200);
  });

  test('without a scope in the request a client gets what it is registered for, as MCP clients expect', async () => {
    expect((await client.tokens(person)).body.scope).toBe('mcp:read mcp:write');
    expect((await client.tokens(person, { scope: 'openid offline_access' })).body.scope).toBe(
      'mcp:read mcp:write',
    );
  });

  test('the passport that a person allowed opens the resource, in their name', async () => {
    const { access } = await client.tokens(person);
    const htu = `${gateway}/s/mcp/tools`;
    const proof = await makeProof(client.dpop, { htm: 'GET', htu, accessToken: access });
    const answer = await fetch(htu, { headers: { authorization: `DPoP ${access}`, dpop: proof } });
    expect(answer.status).toBe(200);
    const [permitted] = (await gate.eventsOf('call.permitted')).slice(-1);
    expect(permitted?.actor).toMatchObject({ user: person.id, agentId: client.id });
  });
});

describe('the protected resource', () => {
  test('publishes metadata (RFC 9728) that names itself and an authorization server', async () => {
    const metadata = await json(`${gateway}/.well-known/oauth-protected-resource`);
    expect(metadata).toMatchObject({
      resource: gateway,
      authorization_servers: [issuer],
      scopes_supported: ['mcp:read', 'mcp:write'],
      bearer_methods_supported: ['header'],
    });
  });

  test('says where that is in the challenge of a 401', async () => {
    const answer = await fetch(`${gateway}/s/mcp/tools`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain(
      `resource_metadata="${gateway}/.well-known/oauth-protected-resource"`,
    );
  });

  test('answers 401 invalid_token to a token that is broken, expired or revoked', async () => {
    const revoked = await agent.passport();
    await agent.ask('/revoke', { token: revoked });
    for (const token of ['not-a-token', revoked, `${revoked.slice(0, -4)}AAAA`]) {
      const answer = await call(token);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
    const short = await agent.passport({ requested_lifetime: '1' });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect((await call(short)).status).toBe(401);
  });

  test('takes tokens for its own audience alone', async () => {
    const answer = await call(await agent.passport({ resource: OTHER }));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect((await call(await agent.passport())).status).toBe(200);
  });

  test('answers 403 insufficient_scope with the scope to ask for and where', async () => {
    const answer = await call(await agent.passport({ scope: 'mcp:read' }), { method: 'DELETE' });
    expect(answer.status).toBe(403);
    const challenge = answer.headers.get('www-authenticate') ?? '';
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="mcp:write"');
    expect(challenge).toContain('resource_metadata="');
  });

  test('answers 400 to a malformed request', async () => {
    const answer = await call(await agent.passport(), { path: '/s/mcp/a%2Fb' });
    expect(answer.status).toBe(400);
  });

  test('takes no token from the query or the body, and asks for one with every request', async () => {
    const token = await agent.passport();
    expect((await fetch(`${gateway}/s/mcp/tools?access_token=${token}`)).status).toBe(401);
    const body = new URLSearchParams({ access_token: token });
    expect((await fetch(`${gateway}/s/mcp/tools`, { method: 'POST', body })).status).toBe(401);
    expect((await call(token)).status).toBe(200);
    expect((await fetch(`${gateway}/s/mcp/tools`)).status).toBe(401);
  });

  test('passes no token on to the upstream', async () => {
    const token = await agent.passport();
    const before = upstream.seen.length;
    expect((await call(token)).status).toBe(200);
    expect(JSON.stringify(upstream.seen.slice(before))).not.toContain(token);
  });

  test('DPoP extension: a bound token as Bearer, without its proof, or with another key is refused', async () => {
    const token = await agent.passport();
    expect((await call(token, { scheme: 'Bearer' })).status).toBe(401);
    const bare = await fetch(`${gateway}/s/mcp/tools`, { headers: { authorization: `DPoP ${token}` } });
    expect([bare.status, bare.headers.get('www-authenticate')?.includes('algs="')]).toEqual([401, true]);
  });
});

describe('the client of the MCP SDK', () => {
  /** Signs in with the agent's private key, and binds its tokens. */
  class Provider extends PrivateKeyJwtProvider {
    readonly #session = DpopSession.create();

    dpop() {
      return this.#session;
    }
  }

  async function provider(clientId = agent.id, key = agent.key) {
    return new Provider({
      clientId,
      privateKey: { ...(await exportJWK(key.privateKey)), kid: key.thumbprint },
      algorithm: 'ES256',
      scope: 'mcp:read',
      expectedIssuer: issuer,
    });
  }

  test('finds the issuer through the gateway, signs in with private key and DPoP, and calls', async () => {
    const signedIn = await provider();
    const answer = await withOAuth(signedIn, `${gateway}/s/mcp/tools`)(fetch)(`${gateway}/s/mcp/tools`);
    expect(answer.status).toBe(200);
    const tokens = signedIn.tokens();
    expect(tokens?.token_type).toBe('DPoP');
    expect(decodeJwt(String(tokens?.access_token))).toMatchObject({ aud: gateway, client_id: agent.id });
  });

  test('is let in with no other key', async () => {
    const other = await gate.newAgent(['mcp:read']);
    const stranger = await provider(agent.id, other.key);
    await expect(
      withOAuth(stranger, `${gateway}/s/mcp/tools`)(fetch)(`${gateway}/s/mcp/tools`),
    ).rejects.toThrow();
    expect(stranger.tokens()).toBeUndefined();
  });

  /** A program without a secret that sends a person to their browser. */
  class BrowserProvider implements OAuthClientProvider {
    readonly redirectUrl = 'http://127.0.0.1:39999/callback';
    readonly clientMetadata: OAuthClientMetadata = {
      redirect_uris: [this.redirectUrl],
      token_endpoint_auth_method: 'none',
    };
    readonly #clientId: string;
    readonly #session = DpopSession.create();
    #tokens: StoredOAuthTokens | undefined;
    #verifier = '';
    sentTo: URL | null = null;

    constructor(clientId: string) {
      this.#clientId = clientId;
    }

    dpop() {
      return this.#session;
    }

    clientInformation() {
      return { client_id: this.#clientId, issuer };
    }

    tokens() {
      return this.#tokens;
    }

    saveTokens(tokens: StoredOAuthTokens) {
      this.#tokens = tokens;
    }

    redirectToAuthorization(url: URL) {
      this.sentTo = url;
    }

    saveCodeVerifier(verifier: string) {
      this.#verifier = verifier;
    }

    codeVerifier() {
      return this.#verifier;
    }
  }

  test('sends a person to their browser, comes back with a code, and calls and renews in their name', async () => {
    const person = await newPerson(gate.bench);
    const { agent: registered } = await gate.bench.room.agents.register(
      {
        name: 'mcp-desktop',
        owner: 'team-a',
        scopes: ['mcp:read'],
        redirectUris: ['http://127.0.0.1/callback'],
        publicClient: true,
      },
      'admin',
    );
    const serverUrl = `${gateway}/s/mcp/tools`;
    const desktop = new BrowserProvider(registered.id);
    expect(await auth(desktop, { serverUrl })).toBe('REDIRECT');
    const page = await person.browser.visit(String(desktop.sentTo));
    const back = backWith(await decide(person.browser, page));
    const [authorizationCode, iss] = [String(back.get('code')), String(back.get('iss'))];
    await expect(
      auth(desktop, { serverUrl, authorizationCode, iss: 'https://evil.example' }),
    ).rejects.toThrow();
    expect(await auth(desktop, { serverUrl, authorizationCode, iss })).toBe('AUTHORIZED');
    const first = desktop.tokens();
    expect(first?.token_type).toBe('DPoP');
    expect(decodeJwt(String(first?.access_token))).toMatchObject({
      sub: person.id,
      act: { sub: registered.id },
      aud: gateway,
    });
    expect((await withOAuth(desktop, serverUrl)(fetch)(serverUrl)).status).toBe(200);
    expect(await auth(desktop, { serverUrl })).toBe('AUTHORIZED');
    expect(desktop.tokens()?.refresh_token).not.toBe(first?.refresh_token);
    expect((await withOAuth(desktop, serverUrl)(fetch)(serverUrl)).status).toBe(200);
  });
});
