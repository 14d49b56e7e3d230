import { DpopSession, PrivateKeyJwtProvider, withOAuth } from '@modelcontextprotocol/client';
import { decodeJwt, exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { protectedResourceMetadata } from '../../src/passport/index.ts';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';
import { makeProof, post, type TestAgent } from '../unit/passport/support.ts';

/**
 * MCP authorization, revision 2026-07-28, as far as it is asked of the authorization server without a browser and of
 * the protected resource. Each test carries what it holds us to.
 */
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

describe('the authorization endpoint', () => {
  test('A8: sends nobody anywhere, whatever redirect is asked for', async () => {
    for (const redirect of ['https://evil.example/back', 'http://localhost:1/back']) {
      const url = `${issuer}/authorize?response_type=code&client_id=${agent.id}&redirect_uri=${encodeURIComponent(redirect)}`;
      const answer = await fetch(url, { redirect: 'manual' });
      expect([answer.status, answer.headers.get('location')]).toEqual([400, null]);
      expect(await answer.json()).toMatchObject({ error: 'unsupported_response_type' });
    }
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
});
