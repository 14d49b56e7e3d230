import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AskingAgent, decide, newPerson, type TestPerson } from '../support/consent.ts';
import { type Bench, GATE, openBench } from '../unit/passport/support.ts';

/** Certified clients drive every grant in which a person lets an agent act. */
const INSECURE = { [oauth.allowInsecureRequests]: true };
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const REDIRECT = 'http://127.0.0.1:45678/callback';

let bench: Bench;
let person: TestPerson;
const SETUP = { redirectUris: ['http://127.0.0.1/callback'], device: true };

beforeAll(async () => {
  bench = await openBench();
  person = await newPerson(bench);
});
afterAll(() => bench?.close());

/** Where the browser is sent back to. */
async function allow(url: URL): Promise<URL> {
  const page = await person.browser.visit(url.href);
  const { leftTo } = await decide(person.browser, page);
  if (leftTo === null) throw new Error('the browser was not sent back');
  return new URL(leftTo);
}

async function allowDevice(address: string): Promise<void> {
  const code = await person.browser.visit(address);
  const consent = await person.browser.submit(code, {});
  expect((await decide(person.browser, consent)).text).toContain('go back to your device');
}

describe('oauth4webapi', () => {
  const discover = async () => {
    const issuer = new URL(bench.issuer);
    return oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE }),
    );
  };

  test.each(['public client', 'client with a key'])(
    'a %s: PAR, code, PKCE and DPoP, refresh, revocation',
    async (kind) => {
      const as = await discover();
      const agent = await AskingAgent.register(bench, { ...SETUP, publicClient: kind === 'public client' });
      const client: oauth.Client = { client_id: agent.id };
      const auth =
        agent.key === null
          ? oauth.None()
          : oauth.PrivateKeyJwt({ key: agent.key.privateKey, kid: agent.key.thumbprint });
      const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
      const verifier = oauth.generateRandomCodeVerifier();
      const state = oauth.generateRandomState();
      const parameters = new URLSearchParams({
        client_id: agent.id,
        redirect_uri: REDIRECT,
        response_type: 'code',
        scope: 'github:read',
        resource: GATE,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      const pushed = await oauth.processPushedAuthorizationResponse(
        as,
        client,
        await oauth.pushedAuthorizationRequest(as, client, auth, parameters, { DPoP, ...INSECURE }),
      );
      const url = new URL(String(as.authorization_endpoint));
      url.search = new URLSearchParams({ client_id: agent.id, request_uri: pushed.request_uri }).toString();
      const back = await allow(url);
      expect(() =>
        oauth.validateAuthResponse({ ...as, issuer: 'https://evil.example' }, client, back, state),
      ).toThrow();
      const answer = oauth.validateAuthResponse(as, client, back, state);
      const response = await oauth.authorizationCodeGrantRequest(
        as,
        client,
        auth,
        answer,
        REDIRECT,
        verifier,
        {
          DPoP,
          additionalParameters: { resource: GATE },
          ...INSECURE,
        },
      );
      const tokens = await oauth.processAuthorizationCodeResponse(as, client, response);
      expect(decodeJwt(tokens.access_token)).toMatchObject({
        sub: person.id,
        act: { sub: agent.id },
        scope: 'github:read',
      });
      const renewed = await oauth.processRefreshTokenResponse(
        as,
        client,
        await oauth.refreshTokenGrantRequest(as, client, auth, String(tokens.refresh_token), {
          DPoP,
          ...INSECURE,
        }),
      );
      expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(as, client, auth, String(renewed.refresh_token), INSECURE),
      );
      const late = await oauth.refreshTokenGrantRequest(as, client, auth, String(renewed.refresh_token), {
        DPoP,
        ...INSECURE,
      });
      await expect(oauth.processRefreshTokenResponse(as, client, late)).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    },
  );

  test('the device flow', async () => {
    const as = await discover();
    const agent = await AskingAgent.register(bench, { ...SETUP, publicClient: true });
    const client: oauth.Client = { client_id: agent.id };
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
    const asked = await oauth.processDeviceAuthorizationResponse(
      as,
      client,
      await oauth.deviceAuthorizationRequest(as, client, oauth.None(), { scope: 'github:read' }, INSECURE),
    );
    const poll = async () =>
      oauth.processDeviceCodeResponse(
        as,
        client,
        await oauth.deviceCodeGrantRequest(as, client, oauth.None(), asked.device_code, {
          DPoP,
          ...INSECURE,
        }),
      );
    await expect(poll()).rejects.toMatchObject({ error: 'authorization_pending' });
    await expect(poll()).rejects.toMatchObject({ error: 'slow_down' });
    await allowDevice(String(asked.verification_uri_complete));
    expect(decodeJwt((await poll()).access_token)).toMatchObject({ sub: person.id, act: { sub: agent.id } });
  });
});

describe('openid-client', () => {
  const configure = (agent: AskingAgent) =>
    openid.discovery(
      new URL(bench.issuer),
      agent.id,
      undefined,
      agent.key === null
        ? openid.None()
        : openid.PrivateKeyJwt({ key: agent.key.privateKey, kid: agent.key.thumbprint }),
      { execute: [openid.allowInsecureRequests] },
    );

  async function signIn(agent: AskingAgent, more: Record<string, string> = {}) {
    const config = await configure(agent);
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
    const pkceCodeVerifier = openid.randomPKCECodeVerifier();
    const expectedState = openid.randomState();
    const url = await openid.buildAuthorizationUrlWithPAR(
      config,
      {
        redirect_uri: REDIRECT,
        scope: 'github:read',
        state: expectedState,
        code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        ...more,
      },
      { DPoP },
    );
    const tokens = await openid.authorizationCodeGrant(
      config,
      await allow(url),
      { pkceCodeVerifier, expectedState },
      {},
      { DPoP },
    );
    return { config, DPoP, tokens };
  }

  test('PAR, code, PKCE and DPoP, and refresh', async () => {
    const agent = await AskingAgent.register(bench, SETUP);
    const { config, DPoP, tokens } = await signIn(agent);
    expect(decodeJwt(tokens.access_token)).toMatchObject({ sub: person.id, act: { sub: agent.id } });
    const renewed = await openid.refreshTokenGrant(config, String(tokens.refresh_token), {}, { DPoP });
    expect(decodeJwt(renewed.access_token).sub).toBe(person.id);
    await expect(
      openid.refreshTokenGrant(config, String(tokens.refresh_token), {}, { DPoP }),
    ).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  test('the device flow', async () => {
    const agent = await AskingAgent.register(bench, { ...SETUP, publicClient: true });
    const config = await configure(agent);
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
    const asked = await openid.initiateDeviceAuthorization(config, { scope: 'github:read' });
    await allowDevice(String(asked.verification_uri_complete));
    const tokens = await openid.pollDeviceAuthorizationGrant(config, { ...asked, interval: 1 }, {}, { DPoP });
    expect(decodeJwt(tokens.access_token)).toMatchObject({ sub: person.id, act: { sub: agent.id } });
  });

  test('four hops of exchange behind what a person allowed: the person stays the subject, actors nest, and an end of the grant ends all', async () => {
    const agents = await Promise.all(Array.from({ length: 5 }, () => AskingAgent.register(bench, SETUP)));
    const [root, ...others] = agents;
    if (root === undefined) throw new Error('no agent');
    const first = await signIn(root, { may_act: String(others[0]?.id) });
    let token = first.tokens.access_token;
    for (const [index, agent] of others.entries()) {
      const config = await configure(agent);
      const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
      const next = others[index + 1];
      const answer = await openid.genericGrantRequest(
        config,
        EXCHANGE,
        {
          subject_token: token,
          subject_token_type: ACCESS_TOKEN,
          scope: 'github:read',
          ...(next === undefined ? {} : { may_act: next.id }),
        },
        { DPoP },
      );
      token = answer.access_token;
    }
    const nested = (ids: readonly string[]): object | undefined =>
      ids.length === 0 ? undefined : { act: { sub: ids[0], ...nested(ids.slice(1)) } };
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({ sub: person.id, ...nested(agents.map(({ id }) => id).toReversed()) });
    expect(claims.chain).toHaveLength(5);
    const last = agents.at(-1);
    const introspect = () => last?.send('/introspect', { token }, { dpop: null });
    expect((await introspect())?.body.active).toBe(true);
    const [grant] = await bench.room.personGrants.list({
      agentId: root.id,
      liveOnly: true,
      after: null,
      limit: 1,
    });
    await bench.room.personGrants.end(String(grant?.id), 'admin', null);
    expect((await introspect())?.body).toEqual({ active: false });
  });
});
