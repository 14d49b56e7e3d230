import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bench, GATE, openBench, TestAgent } from '../unit/passport/support.ts';

const INSECURE = { [oauth.allowInsecureRequests]: true };
const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

let bench: Bench;
let agents: TestAgent[];
beforeAll(async () => {
  bench = await openBench();
  agents = await Promise.all(Array.from({ length: 5 }, () => TestAgent.register(bench)));
});
afterAll(() => bench.close());

const nested = (ids: readonly string[]): object | undefined =>
  ids.length === 0 ? undefined : { act: { sub: ids[0], ...nested(ids.slice(1)) } };

/** What a chain of four exchanges must have come to. */
function expectFourHops(token: string): void {
  const claims = decodeJwt(token);
  const [root, ...actors] = agents.map(({ id }) => id);
  expect(claims).toMatchObject({
    sub: root,
    scope: 'github:read',
    aud: GATE,
    ...nested(actors.toReversed()),
  });
  expect(claims.chain).toHaveLength(5);
}

test('openid-client drives four hops of exchange, each bound to the next agent’s key', async () => {
  let token = '';
  for (const [index, agent] of agents.entries()) {
    const config = await openid.discovery(
      new URL(bench.issuer),
      agent.id,
      undefined,
      openid.PrivateKeyJwt({ key: agent.key.privateKey, kid: agent.key.thumbprint }),
      { execute: [openid.allowInsecureRequests] },
    );
    const keys = await openid.randomDPoPKeyPair();
    const DPoP = openid.getDPoPHandle(config, keys);
    const following = agents[index + 1];
    const parameters = {
      scope: index < 2 ? 'github:read github:write' : 'github:read',
      ...(following === undefined ? {} : { may_act: following.id }),
    };
    const answer =
      index === 0
        ? await openid.clientCredentialsGrant(config, parameters, { DPoP })
        : await openid.genericGrantRequest(
            config,
            GRANT,
            { ...parameters, subject_token: token, subject_token_type: ACCESS_TOKEN, audience: GATE },
            { DPoP },
          );
    expect(answer.token_type).toBe('dpop');
    token = answer.access_token;
  }
  expectFourHops(token);
});

test('oauth4webapi drives four hops of exchange, and more than the parent has is invalid_scope', async () => {
  const issuer = new URL(bench.issuer);
  const as = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE }),
  );
  expect(as.grant_types_supported).toContain(GRANT);
  const ask = async (agent: TestAgent, parameters: Record<string, string>, exchanged: string) => {
    const client: oauth.Client = { client_id: agent.id };
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
    const auth = oauth.PrivateKeyJwt({ key: agent.key.privateKey, kid: agent.key.thumbprint });
    const options = { DPoP, ...INSECURE };
    if (exchanged === '') {
      const response = await oauth.clientCredentialsGrantRequest(as, client, auth, parameters, options);
      return oauth.processClientCredentialsResponse(as, client, response);
    }
    const all = { ...parameters, subject_token: exchanged, subject_token_type: ACCESS_TOKEN };
    const response = await oauth.genericTokenEndpointRequest(as, client, auth, GRANT, all, options);
    return oauth.processGenericTokenEndpointResponse(as, client, response);
  };
  let token = '';
  for (const [index, agent] of agents.entries()) {
    const following = agents[index + 1];
    const may = following === undefined ? {} : { may_act: following.id };
    if (index > 0) {
      await expect(ask(agent, { scope: 'github:write' }, token)).rejects.toMatchObject({
        error: 'invalid_scope',
      });
    }
    token = (await ask(agent, { scope: 'github:read', ...may }, token)).access_token;
  }
  expectFourHops(token);
});
