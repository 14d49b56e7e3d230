import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

/** What a provider says of somebody. */
export interface Person {
  readonly email: string;
  readonly email_verified: boolean;
  readonly hd: string;
  readonly name?: string;
}

export interface TestProvider {
  readonly issuer: string;
  /** Who signs in there next, and how often somebody was asked to. */
  readonly state: { person: string; asked: number };
  close(): void;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A real OpenID provider (oidc-provider) at which a sign-in takes no click. */
export async function startOpenidProvider(o: {
  readonly callback: string;
  readonly secret: string;
  readonly people: ReadonlyMap<string, Person>;
}): Promise<TestProvider> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'gate', client_secret: o.secret, redirect_uris: [o.callback] }],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'corp', alg: 'RS256', use: 'sig' }] },
    cookies: { keys: ['visibly-fake-cookie-key'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'hd'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    findAccount: (_context, id) => {
      const person = o.people.get(id);
      return person && { accountId: id, claims: () => ({ sub: id, ...person }) };
    },
  });
  provider.on('server_error', () => undefined);
  const state = { person: 'linked', asked: 0 };
  const serve = provider.callback();
  const server = createServer(async (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return void serve(request, response);
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (prompt.name === 'login') {
      state.asked += 1;
      return provider.interactionFinished(request, response, { login: { accountId: state.person } });
    }
    const grant = new provider.Grant({
      accountId: session?.accountId ?? '',
      clientId: String(params.client_id),
    });
    grant.addOIDCScope('openid profile email');
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(request, response, { consent });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { issuer, state, close: () => closeAll(server) };
}

export function closeAll(server: Server): void {
  server.close();
  server.closeAllConnections();
}
