import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { type Clock, type JsonValue, Refusal } from '../core/index.ts';
import { DPOP_ALGORITHMS } from '../proof/index.ts';
import { modelAdapter } from './adapter.ts';
import type { AgentDirectory } from './agent-directory.ts';
import { ASSERTION_ALGORITHMS } from './agent-input.ts';
import { checkClientAssertion } from './client-assertion.ts';
import { clientMetadata } from './client-metadata.ts';
import { completeAnswer } from './completion.ts';
import { type AskedGrant, NOTHING_ASKED } from './grants/asked-grant.ts';
import type { Signer } from './grants/signing.ts';
import type { Provide } from './issuer.ts';
import type { Authenticated, Issuing } from './issuing.ts';
import { PATHS, resourceOf } from './metadata.ts';
import { OAuthFault, toOAuthFault } from './oauth-fault.ts';
import type { Pepper } from './pepper.ts';
import type { SigningKeys } from './signing-keys.ts';
import type { OidcStore } from './store.ts';
import type { TokenEndpoints } from './token-endpoints.ts';

export interface ProviderOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly resources: readonly string[];
  readonly lifetimeSeconds: number;
  /** Whether every passport must be bound to a key. */
  readonly boundOnly: boolean;
  /** 32 bytes; null: no nonce is asked for. */
  readonly nonceSecret: Buffer | null;
  readonly keys: SigningKeys;
  readonly rows: OidcStore;
  readonly directory: AgentDirectory;
  readonly pepper: Pepper;
  readonly issuing: Issuing;
  readonly tokens: TokenEndpoints;
  readonly signer: Signer;
  /** Grants that are ours, by name. */
  readonly grants: readonly string[];
  /** Whether clients may authenticate by certificate at the token endpoint. */
  readonly mtls: boolean;
  /** Whether clients may come aboard by a document about them. */
  readonly clientDocuments: boolean;
  /** Whether agents may ask people elsewhere, and are told by a ping. */
  readonly backchannel: { readonly pings: boolean } | null;
  /** Ends what a person allowed, where the token is a refresh token; null: people can't allow anything. */
  readonly revokeRefreshToken: ((clientId: string, token: string) => Promise<boolean>) | null;
  readonly clock: Clock;
  readonly onRefused: (o: { clientId: string | null; error: string; detail: string | null }) => void;
  readonly onFault: (fault: unknown) => void;
}

type Context = KoaContextWithOIDC;

/**
 * The OAuth library, set up to do exactly what is served. The key set is fixed when it is made: after a change
 * of keys, make another one over the same stores.
 */
export function buildProvider(o: ProviderOptions): Provide {
  const authenticated = new WeakMap<Context, Authenticated>();
  const asked = new WeakMap<IncomingMessage, AskedGrant>();
  const wantsJwt = new WeakSet<IncomingMessage>();
  const granted = new WeakMap<Context, JsonValue>();
  // Never compared with anything: secrets are checked by their hash below. Random, should that ever fail.
  const placeholder = randomBytes(32).toString('base64url');
  const findClient = async (id: string) => {
    const agent = await o.directory.find(id);
    // The library knows one key for good; where keys give way, only our grants can tell which one it is.
    if (agent?.status !== 'active' || agent.ratchet) return undefined;
    const asserted = Provider.ctx?.oidc.params?.client_assertion !== undefined;
    return clientMetadata(agent, { asserted, boundOnly: o.boundOnly, placeholder });
  };
  // Of the moment when this provider is made: a request that it is answering during a rotation is answered
  // with a key that it has.
  const { kid } = o.keys.current;
  const provider = new Provider(o.issuer, {
    adapter: (model: string) => {
      const adapter = modelAdapter(model, o);
      return guarded(model === 'Client' ? { ...adapter, find: findClient } : adapter);
    },
    jwks: { keys: o.keys.all.map(({ kid, jwk }) => ({ ...jwk, kid, use: 'sig', alg: 'ES256' })) },
    routes: {
      token: PATHS.token,
      revocation: PATHS.revocation,
      introspection: PATHS.introspection,
      jwks: PATHS.jwks,
    },
    responseTypes: [],
    scopes: [],
    claims: {},
    clientAuthMethods: [
      'private_key_jwt',
      'client_secret_basic',
      'client_secret_post',
      ...(o.revokeRefreshToken === null ? [] : ['none' as const]),
    ],
    clientDefaults: {
      grant_types: ['client_credentials'],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
    },
    enabledJWA: {
      clientAuthSigningAlgValues: [...ASSERTION_ALGORITHMS],
      dPoPSigningAlgValues: [...DPOP_ALGORITHMS],
      idTokenSigningAlgValues: ['ES256'],
    },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    features: {
      clientCredentials: { enabled: true },
      dPoP: {
        enabled: true,
        ...(o.nonceSecret === null ? {} : { nonceSecret: o.nonceSecret, requireNonce: () => true }),
      },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => o.audience,
        getResourceServerInfo: (ctx, resource, client) =>
          guard(async () => {
            const audience = resourceOf(resource, [o.audience, ...o.resources]);
            if (audience === null) {
              throw new OAuthFault(
                'invalid_target',
                'the resource is neither this gateway nor one that it knows',
              );
            }
            const scopeAsked = ctx.oidc.params?.scope;
            const scopes = await o.issuing.admit(
              client.clientId,
              typeof scopeAsked === 'string' ? scopeAsked : undefined,
            );
            const scope = scopes.join(' ');
            if (ctx.oidc.params !== undefined) ctx.oidc.params.scope = scope === '' ? undefined : scope;
            return {
              scope,
              audience,
              accessTokenFormat: 'jwt' as const,
              accessTokenTTL: Math.min(o.lifetimeSeconds, lifetimeAsked(asked.get(ctx.req))),
              jwt: { sign: { alg: 'ES256' as const, kid } },
            };
          }),
      },
      devInteractions: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    formats: {
      customizers: {
        jwt: (ctx, token, parts) =>
          guard(async () => {
            const client = authenticated.get(ctx);
            const { payload } = parts;
            if (client === undefined || payload === undefined) {
              throw new TypeError('the client did not authenticate');
            }
            const claims = await o.issuing.issue(
              {
                iat: numberOf(payload.iat),
                exp: numberOf(payload.exp),
                scope: typeof payload.scope === 'string' ? payload.scope : '',
                audience: typeof payload.aud === 'string' ? payload.aud : o.audience,
                jkt: 'jkt' in token && typeof token.jkt === 'string' ? token.jkt : null,
                x5t: null,
                grant: 'client_credentials',
                kid,
                asked: asked.get(ctx.req) ?? NOTHING_ASKED,
                parent: null,
              },
              client,
            );
            if (claims.authorization_details !== undefined) granted.set(ctx, claims.authorization_details);
            parts.payload = { ...payload, ...claims };
          }),
      },
    },
    assertJwtClientAuthClaimsAndHeader: (ctx, _claims, _header, client) =>
      guard(async () => {
        const agent = o.directory.known(client.clientId);
        if (agent === null) throw new OAuthFault('invalid_client', 'client authentication failed');
        const text = textOf(ctx.oidc.params?.client_assertion);
        const by = { kind: 'key', kid: checkClientAssertion(text, agent, o.clock.now()) } as const;
        authenticated.set(ctx, { agent, by });
      }),
    ttl: {
      ClientCredentials: (ctx) => Math.min(o.lifetimeSeconds, lifetimeAsked(asked.get(ctx.req))),
    },
  });

  // The way that the library's documentation names for secrets that are stored as hashes.
  provider.Client.prototype.compareClientSecret = async function compare(shown: string) {
    const ctx = Provider.ctx;
    const agent = o.directory.known(this.clientId);
    if (ctx === undefined || agent === null) return false;
    const id = o.pepper.matchSecret(agent, shown, o.clock.now());
    if (id === null) return false;
    authenticated.set(ctx, { agent, by: { kind: 'secret', id } });
    return true;
  };

  provider.use(async (ctx, next) => {
    await next();
    await completeAnswer(ctx as Context, { ...o, wantsJwt: wantsJwt.has(ctx.req) });
    const details = granted.get(ctx as Context);
    // RFC 9396 section 7: the client learns what it got.
    if (details !== undefined && ctx.status === 200) {
      ctx.body = { ...(ctx.body as object), authorization_details: details };
    }
  });
  provider.proxy = true;
  provider.on('grant.error', (ctx, fault) => o.onRefused(describeRefusal(ctx, fault)));
  provider.on('revocation.error', (ctx, fault) => {
    if (fault.error !== 'unsupported_token_type') o.onRefused(describeRefusal(ctx, fault));
  });
  provider.on('introspection.error', (ctx, fault) => {
    if (fault.error !== 'unsupported_token_type') o.onRefused(describeRefusal(ctx, fault));
  });
  provider.on('server_error', (_ctx, fault) => o.onFault(fault));
  // Koa would print these.
  provider.onerror = (fault) => o.onFault(fault);
  const callback = provider.callback();
  return (req, res, known) => {
    if (known?.asked !== undefined) asked.set(req, known.asked);
    if (known?.wantsJwt === true) wantsJwt.add(req);
    return void callback(req, res);
  };
}

function lifetimeAsked(asked: AskedGrant | undefined): number {
  return asked?.lifetimeSeconds ?? Number.MAX_SAFE_INTEGER;
}

/** Each method of an adapter, with its faults in the library's words. */
function guarded<T extends object>(adapter: T): T {
  const methods = Object.entries(adapter).map(([name, method]) => [
    name,
    (...given: unknown[]) => guard(() => method(...given)),
  ]);
  return Object.fromEntries(methods);
}

async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (fault) {
    if (!(fault instanceof OAuthFault) && !(fault instanceof Refusal)) throw fault;
    const { code, message, status, retryAfterMs } = toOAuthFault(fault);
    if (retryAfterMs !== null) {
      Provider.ctx?.set('retry-after', String(Math.ceil(retryAfterMs / 1000)));
    }
    const answer = new errors.CustomOIDCProviderError(code, message, { cause: fault });
    throw Object.assign(answer, { status, statusCode: status });
  }
}

function describeRefusal(ctx: Context, fault: errors.OIDCProviderError) {
  const detail = [fault.error_description, fault.error_detail]
    .filter((text) => text !== undefined)
    .join(': ');
  const clientId = ctx.oidc.client?.clientId ?? null;
  return { clientId, error: fault.error ?? 'server_error', detail: detail === '' ? null : detail };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError('the library left out a time');
  return value;
}
