import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bench, GATE, jwkOf, newKey, openBench } from '../unit/passport/support.ts';

const INSECURE = { [oauth.allowInsecureRequests]: true };

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

async function register(o: { withSecret?: boolean } = {}) {
  const key = await newKey();
  const { agent, secret } = await bench.room.agents.register(
    {
      name: `client-${Math.random().toString(36).slice(2, 10)}`,
      owner: 'alice@example.com',
      scopes: ['github:read', 'github:write'],
      purpose: 'read issues',
      ...(o.withSecret === true ? { withSecret: true } : { jwks: [jwkOf(key)] }),
    },
    'admin',
  );
  const text = secret?.use((bytes) => Buffer.from(bytes).toString('utf8')) ?? '';
  return { agent, key, secret: text };
}

async function discover() {
  const issuer = new URL(bench.issuer);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE });
  return oauth.processDiscoveryResponse(issuer, response);
}

describe('oauth4webapi', () => {
  test('finds the issuer by RFC 8414 and by OpenID discovery, and neither names what is not served', async () => {
    const issuer = new URL(bench.issuer);
    const found = await discover();
    const byOpenid = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...INSECURE }),
    );
    expect(found).toEqual({
      issuer: bench.issuer,
      token_endpoint: `${bench.issuer}/token`,
      authorization_endpoint: `${bench.issuer}/authorize`,
      registration_endpoint: `${bench.issuer}/register`,
      revocation_endpoint: `${bench.issuer}/revoke`,
      introspection_endpoint: `${bench.issuer}/introspect`,
      jwks_uri: `${bench.issuer}/jwks`,
      pushed_authorization_request_endpoint: `${bench.issuer}/par`,
      device_authorization_endpoint: `${bench.issuer}/device_authorization`,
      grant_types_supported: [
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code',
      ],
      authorization_details_types_supported: ['tool_call'],
      introspection_signing_alg_values_supported: ['ES256'],
      status_list_max_staleness_seconds: 60,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      request_parameter_supported: false,
      request_uri_parameter_supported: false,
      token_endpoint_auth_methods_supported: [
        'private_key_jwt',
        'client_secret_basic',
        'client_secret_post',
        'none',
      ],
      token_endpoint_auth_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
      revocation_endpoint_auth_methods_supported: [
        'private_key_jwt',
        'client_secret_basic',
        'client_secret_post',
        'none',
      ],
      revocation_endpoint_auth_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
      introspection_endpoint_auth_methods_supported: [
        'private_key_jwt',
        'client_secret_basic',
        'client_secret_post',
      ],
      introspection_endpoint_auth_signing_alg_values_supported: [
        'ES256',
        'EdDSA',
        'Ed25519',
        'PS256',
        'RS256',
      ],
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
      protected_resources: [GATE],
    });
    expect(byOpenid).toEqual({
      ...found,
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    });
    for (const path of ['/auth', '/me', '/session/end', '/device/auth', '/request', '/reg']) {
      expect((await fetch(`${bench.issuer}${path}`)).status, path).toBe(404);
    }
  });

  test('gets a bound RFC 9068 passport with private_key_jwt and DPoP', async () => {
    const as = await discover();
    const { agent, key } = await register();
    const client: oauth.Client = { client_id: agent.id };
    const dpopKeys = await oauth.generateKeyPair('ES256', { extractable: true });
    const DPoP = oauth.DPoP(client, dpopKeys);
    const response = await oauth.clientCredentialsGrantRequest(
      as,
      client,
      oauth.PrivateKeyJwt({ key: key.privateKey, kid: key.thumbprint }),
      { scope: 'github:read', resource: GATE },
      { DPoP, ...INSECURE },
    );
    const result = await oauth.processClientCredentialsResponse(as, client, response);
    expect(result).toMatchObject({ token_type: 'dpop', expires_in: 300, scope: 'github:read' });
    const keys = createRemoteJWKSet(new URL(`${bench.issuer}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(result.access_token, keys, {
      issuer: bench.issuer,
      audience: GATE,
      typ: 'at+jwt',
      algorithms: ['ES256'],
    });
    expect(protectedHeader.kid).toBe(bench.room.keys.jwks().keys[0]?.kid);
    expect(payload).toMatchObject({
      sub: agent.id,
      client_id: agent.id,
      scope: 'github:read',
      owner: 'alice@example.com',
      purpose: 'read issues',
      sid: expect.stringMatching(/^session_/),
      chain: [expect.stringMatching(/^hop_/)],
      cnf: { jkt: expect.any(String) },
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
  });

  test('introspects and revokes its own passport, and then it is inactive', async () => {
    const as = await discover();
    const { agent, secret } = await register({ withSecret: true });
    const client: oauth.Client = { client_id: agent.id };
    const auth = oauth.ClientSecretPost(secret);
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
    const { access_token } = await oauth.processClientCredentialsResponse(
      as,
      client,
      await oauth.clientCredentialsGrantRequest(as, client, auth, {}, { DPoP, ...INSECURE }),
    );
    const introspect = async () =>
      oauth.processIntrospectionResponse(
        as,
        client,
        await oauth.introspectionRequest(as, client, auth, access_token, INSECURE),
      );
    expect(await introspect()).toMatchObject({
      active: true,
      client_id: agent.id,
      token_type: 'DPoP',
      scope: 'github:read github:write',
      jti: decodeJwt(access_token).jti,
    });
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, auth, access_token, INSECURE),
    );
    expect(await introspect()).toEqual({ active: false });
  });
});

describe('openid-client', () => {
  test('discovers, gets, introspects and revokes with private_key_jwt and DPoP', async () => {
    const { agent, key } = await register();
    const config = await openid.discovery(
      new URL(bench.issuer),
      agent.id,
      undefined,
      openid.PrivateKeyJwt({ key: key.privateKey, kid: key.thumbprint }),
      { execute: [openid.allowInsecureRequests] },
    );
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
    const tokens = await openid.clientCredentialsGrant(config, { scope: 'github:write' }, { DPoP });
    expect(tokens.token_type).toBe('dpop');
    expect(decodeProtectedHeader(tokens.access_token).typ).toBe('at+jwt');
    expect(await openid.tokenIntrospection(config, tokens.access_token)).toMatchObject({ active: true });
    await openid.tokenRevocation(config, tokens.access_token);
    expect(await openid.tokenIntrospection(config, tokens.access_token)).toEqual({ active: false });
  });

  test.each([
    ['client_secret_basic', openid.ClientSecretBasic],
    ['client_secret_post', openid.ClientSecretPost],
  ])('gets a passport with %s', async (_method, authenticate) => {
    const { agent, secret } = await register({ withSecret: true });
    const config = await openid.discovery(new URL(bench.issuer), agent.id, undefined, authenticate(secret), {
      execute: [openid.allowInsecureRequests],
    });
    const keys = await openid.randomDPoPKeyPair();
    const DPoP = openid.getDPoPHandle(config, keys);
    const tokens = await openid.clientCredentialsGrant(config, {}, { DPoP });
    expect(tokens.scope).toBe('github:read github:write');
  });

  test('calls a resource with its passport, and the verifier knows who calls', async () => {
    const { agent, key } = await register();
    const config = await openid.discovery(
      new URL(bench.issuer),
      agent.id,
      undefined,
      openid.PrivateKeyJwt({ key: key.privateKey, kid: key.thumbprint }),
      { execute: [openid.allowInsecureRequests] },
    );
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
    const { access_token } = await openid.clientCredentialsGrant(config, {}, { DPoP });
    let seen: Request | null = null;
    const customFetch: openid.CustomFetch = async (url, options) => {
      seen = new Request(url, { method: options.method, headers: options.headers });
      return new Response('ok');
    };
    config[openid.customFetch] = customFetch;
    await openid.fetchProtectedResource(
      config,
      access_token,
      new URL(`${GATE}/s/github/user?page=2`),
      'GET',
      null,
      undefined,
      { DPoP },
    );
    const request = seen as Request | null;
    const passport = await bench.room.verifier.verify(
      {
        scheme: 'DPoP',
        token: request?.headers.get('authorization')?.replace(/^DPoP /i, '') ?? '',
        proofs: [request?.headers.get('dpop') ?? ''],
        htm: 'GET',
        htu: `${GATE}/s/github/user`,
        loopback: false,
      },
      Date.now(),
    );
    expect(passport.subject).toMatchObject({ agentId: agent.id, owner: 'alice@example.com', user: null });
    expect(passport.agentName).toBe(agent.name);
  });
});
