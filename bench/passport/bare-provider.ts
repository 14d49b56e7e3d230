import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { importJWK, SignJWT } from 'jose';
import { answerMessages, childInput, tellReady } from '../lib/child.ts';
import { SigningKey } from '../load/agent.ts';
import type { AgentSpec } from '../load/requests.ts';
import { loadPeer } from '../peers/load-peer.ts';
import { EXCHANGE, type IssuerReady, type TokenWanted } from './operations.ts';
import { type PlainGrantOptions, type Provider, plainExchange } from './plain-grant.ts';

/**
 * oidc-provider as it comes, on its adapter in memory: client_credentials by key and by secret, DPoP, JWT access
 * tokens, and token exchange as a custom grant.
 */
const { audience } = childInput<{ audience: string }>();
const { default: ProviderClass } = await loadPeer<{ default: new (issuer: string, o: object) => Provider }>(
  'oidc-provider',
);
const main = createRequire(import.meta.url).resolve('oidc-provider');
const checks: PlainGrantOptions['checks'] = await import(
  new URL('./helpers/validate_dpop.js', `file://${main}`).href
);
const server = createServer();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const signing = new SigningKey();
const acts = new WeakMap<object, unknown>();
const keys = { agent: new SigningKey(), planner: new SigningKey(), worker: new SigningKey() };
const secret = `fake-${randomBytes(18).toString('base64url')}`;
const grants = { grant_types: ['client_credentials', EXCHANGE], redirect_uris: [], response_types: [] };
const provider = new ProviderClass(issuer, {
  clients: [
    ...Object.entries(keys).map(([name, key]) => ({
      ...grants,
      client_id: name,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      id_token_signed_response_alg: 'ES256',
      jwks: { keys: [{ ...key.publicJwk, kid: name, alg: 'ES256', use: 'sig' }] },
    })),
    {
      ...grants,
      client_id: 'secret',
      client_secret: secret,
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
    },
  ],
  jwks: { keys: [{ ...signing.privateJwk, kid: 'signing', alg: 'ES256', use: 'sig' }] },
  scopes: ['api:read'],
  extraTokenClaims: (_ctx: unknown, token: object) => acts.get(token),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'api:read',
        audience,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});
const publicKey = (await importJWK({ ...signing.publicJwk, alg: 'ES256' })) as CryptoKey;
const exchange = plainExchange({ provider, checks, issuer, audience, publicKey, acts });
provider.registerGrantType(EXCHANGE, exchange, ['subject_token', 'subject_token_type', 'scope', 'audience']);
server.on('request', provider.callback());

const privateKey = await importJWK({ ...signing.privateJwk, alg: 'ES256' });
answerMessages(async (wanted: TokenWanted) => {
  if (wanted === 'own') throw new TypeError('its JWTs are not introspected');
  return new SignJWT({ scope: 'api:read', client_id: 'planner', may_act: { sub: 'worker' } })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'signing' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject('planner')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
});
const spec = (clientId: string, key: SigningKey): AgentSpec => ({
  ...{ issuer, tokenEndpoint: `${issuer}/token`, clientId, kid: clientId },
  ...{ privateKeyPem: key.pem, resource: audience, scope: 'api:read' },
});
const ready: IssuerReady = {
  agent: spec('agent', keys.agent),
  secretAgent: spec('secret', keys.agent),
  secret,
  worker: spec('worker', keys.worker),
};
tellReady({ ...ready });
