import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose';
import Provider, { errors } from 'oidc-provider';
import type { TestAgent } from '../../test/unit/passport/support.ts';
import { AUDIENCE, EXCHANGE, type ExchangeTarget } from './target.ts';

interface Proof {
  readonly jti: string;
  readonly thumbprint: string;
}

/** What its own grants use; it has no public way to them and no types. */
interface ProofChecks {
  readonly default: (provider: Provider, ctx: object) => Promise<Proof | undefined>;
  readonly checkDpopReplay: (provider: Provider, ctx: object, proof: Proof, client: string) => Promise<void>;
}

const CHECKS = new URL('./helpers/validate_dpop.js', import.meta.resolve('oidc-provider')).href;
const checks: ProofChecks = await import(CHECKS);

/**
 * Token exchange written plainly as a custom grant of oidc-provider: private_key_jwt, DPoP, `may_act`, narrowing of
 * scope and life, nested `act`. It keeps everything in memory, records nothing, counts no chain and revokes nothing.
 */
export async function openPlainProvider(agents: readonly TestAgent[]): Promise<ExchangeTarget> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const acts = new WeakMap<object, unknown>();
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'k1', use: 'sig', alg: 'ES256' }] },
    clients: agents.map((agent) => ({
      client_id: agent.id,
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials', EXCHANGE],
      token_endpoint_auth_method: 'private_key_jwt',
      id_token_signed_response_alg: 'ES256',
      jwks: { keys: [{ ...agent.key.publicJwk, kid: agent.key.thumbprint } as JWK & { kty: string }] },
    })),
    clientAuthMethods: ['private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'], dPoPSigningAlgValues: ['ES256'] },
    scopes: ['github:read', 'github:write'],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      resourceIndicators: { enabled: true },
    },
    extraTokenClaims: (_ctx, token) => acts.get(token) as never,
  });
  const handler = async (ctx: never) => grant(provider, ctx, { issuer, publicKey, acts });
  const parameters = ['subject_token', 'subject_token_type', 'scope', 'audience'];
  provider.registerGrantType(EXCHANGE, handler as never, parameters);
  const respond = provider.callback();
  server.on('request', (request, response) => void respond(request, response));
  const token = (client: string, claims: object) =>
    new SignJWT({ scope: 'github:read github:write', client_id: client, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })
      .setIssuer(issuer)
      .setAudience(AUDIENCE)
      .setSubject(client)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
  return {
    name: 'bare-oidc-provider',
    issuer,
    subjectToken: (from, to) => token(from.id, { may_act: { sub: to.id } }),
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface Tools {
  readonly issuer: string;
  readonly publicKey: CryptoKey;
  readonly acts: WeakMap<object, unknown>;
}

type Context = {
  readonly oidc: {
    readonly client: { readonly clientId: string };
    readonly params: Readonly<Record<string, string | undefined>>;
  };
  body: unknown;
};

async function grant(provider: Provider, ctx: Context, { issuer, publicKey, acts }: Tools): Promise<void> {
  const { client, params } = ctx.oidc;
  const proof = await checks.default(provider, ctx);
  if (proof === undefined) throw new errors.InvalidGrant('a proof is missing');
  await checks.checkDpopReplay(provider, ctx, proof, client.clientId);
  const { payload } = await jwtVerify(params.subject_token ?? '', publicKey, {
    issuer,
    audience: AUDIENCE,
    typ: 'at+jwt',
  });
  const mayAct = payload.may_act as { sub?: string } | undefined;
  if (mayAct?.sub !== client.clientId) throw new errors.InvalidGrant('the actor is not named');
  const held = String(payload.scope).split(' ');
  const scopes = params.scope?.split(' ') ?? held;
  if (!scopes.every((scope) => held.includes(scope)))
    throw new errors.InvalidScope('growth', params.scope ?? '');
  const token = new provider.ClientCredentials({ client: client as never, scope: scopes.join(' ') });
  token.resourceServer = new provider.ResourceServer(AUDIENCE, {
    scope: scopes.join(' '),
    audience: AUDIENCE,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  });
  const left = (payload.exp ?? 0) - Math.floor(Date.now() / 1000);
  Object.assign(token, { expiresIn: Math.min(300, left) });
  token.setThumbprint('jkt', proof.thumbprint);
  acts.set(token, { act: { sub: client.clientId, act: payload.act } });
  const access_token = await token.save();
  ctx.body = { access_token, token_type: 'DPoP', expires_in: token.expiration, scope: token.scope };
}
