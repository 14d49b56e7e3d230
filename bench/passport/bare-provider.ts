import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { childInput, tellReady } from '../lib/child.ts';
import { loadPeer } from '../peers/load-peer.ts';

interface Provider {
  callback(): (request: unknown, response: unknown) => void;
}

/** oidc-provider as it comes, on its adapter in memory: client_credentials, private_key_jwt, DPoP, JWT access tokens. */
const { clientJwk, signingJwk, clientId, audience } = childInput<
  Record<'clientJwk' | 'signingJwk', object> & Record<'clientId' | 'audience', string>
>();
const { default: ProviderClass } = await loadPeer<{ default: new (issuer: string, o: object) => Provider }>(
  'oidc-provider',
);
const server = createServer();
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const provider = new ProviderClass(issuer, {
  clients: [
    {
      client_id: clientId,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      id_token_signed_response_alg: 'ES256',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      jwks: { keys: [clientJwk] },
    },
  ],
  jwks: { keys: [signingJwk] },
  scopes: ['api:read'],
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
server.on('request', provider.callback());
tellReady({ issuer });
