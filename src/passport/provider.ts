import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import Provider, { type AllClientMetadata, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { type Clock, Refusal } from '../core/index.ts';
import { DPOP_ALGORITHMS } from '../proof/index.ts';
import { modelAdapter } from './adapter.ts';
import type { AgentDirectory } from './agent-directory.ts';
import { ASSERTION_ALGORITHMS } from './agent-input.ts';
import { checkClientAssertion } from './client-assertion.ts';
import type { Issuing } from './issuing.ts';
import { issuerMetadata, PATHS } from './metadata.ts';
import { OAuthFault } from './oauth-fault.ts';
import type { AuthenticatedBy, Pepper } from './pepper.ts';
import type { SigningKeys } from './signing-keys.ts';
import type { AgentRecord, OidcStore } from './store.ts';
import type { TokenEndpoints } from './token-endpoints.ts';

export interface ProviderOptions {
  readonly issuer: string;
  readonly audience: string;
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
  readonly clock: Clock;
  readonly onRefused: (o: { clientId: string | null; error: string; detail: string | null }) => void;
  readonly onFault: (fault: unknown) => void;
}

type Context = KoaContextWithOIDC;

/**
 * The OAuth library, set up to do exactly what is served. The key set is fixed when it is made: after a change
 * of keys, make another one over the same stores.
 */
export function buildProvider(o: ProviderOptions): (req: IncomingMessage, res: ServerResponse) => void {
  const authenticated = new WeakMap<Context, AuthenticatedBy>();
  // Never compared with anything: secrets are checked by their hash below. Random, should that ever fail.
  const placeholder = randomBytes(32).toString('base64url');
  const provider = new Provider(o.issuer, {
    adapter: (model: string) => {
      const adapter = modelAdapter(model, o);
      const find = model === 'Client' ? (id: string) => findClient(o, id, placeholder) : adapter.find;
      return guarded({ ...adapter, find });
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
    clientAuthMethods: ['private_key_jwt', 'client_secret_basic', 'client_secret_post'],
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
            if (resource !== o.audience && resource !== `${o.audience}/`) {
              throw new OAuthFault('invalid_target', 'the resource is not this gateway');
            }
            const asked = ctx.oidc.params?.scope;
            const scopes = await o.issuing.admit(
              client.clientId,
              typeof asked === 'string' ? asked : undefined,
            );
            const scope = scopes.join(' ');
            if (ctx.oidc.params !== undefined) ctx.oidc.params.scope = scope === '' ? undefined : scope;
            return {
              scope,
              audience: o.audience,
              accessTokenFormat: 'jwt' as const,
              accessTokenTTL: o.lifetimeSeconds,
              jwt: { sign: { alg: 'ES256' as const, kid: o.keys.current.kid } },
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
            const by = authenticated.get(ctx);
            const { payload } = parts;
            if (by === undefined || payload === undefined)
              throw new TypeError('the client did not authenticate');
            const claims = await o.issuing.issue(
              {
                clientId: textOf(token.clientId),
                iat: numberOf(payload.iat),
                exp: numberOf(payload.exp),
                scope: typeof payload.scope === 'string' ? payload.scope : '',
                audience: o.audience,
                jkt: 'jkt' in token && typeof token.jkt === 'string' ? token.jkt : null,
                grant: 'client_credentials',
              },
              by,
            );
            parts.payload = { ...payload, ...claims };
          }),
      },
    },
    assertJwtClientAuthClaimsAndHeader: (ctx, _claims, _header, client) =>
      guard(async () => {
        const agent = o.directory.known(client.clientId);
        if (agent === null) throw new OAuthFault('invalid_client', 'client authentication failed');
        const text = textOf(ctx.oidc.params?.client_assertion);
        const kid = checkClientAssertion(text, agent, o.clock.now());
        authenticated.set(ctx, { kind: 'key', kid });
      }),
    ttl: { ClientCredentials: o.lifetimeSeconds },
  });

  // The way that the library's documentation names for secrets that are stored as hashes.
  provider.Client.prototype.compareClientSecret = async function compare(shown: string) {
    const ctx = Provider.ctx;
    const agent = o.directory.known(this.clientId);
    if (ctx === undefined || agent === null) return false;
    const id = o.pepper.matchSecret(agent, shown, o.clock.now());
    if (id === null) return false;
    authenticated.set(ctx, { kind: 'secret', id });
    return true;
  };

  provider.use(async (ctx, next) => {
    await next();
    await complete(ctx as Context, o);
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
  return provider.callback();
}

/** What the library leaves to us, once it has done its part. */
async function complete(ctx: Context, o: ProviderOptions): Promise<void> {
  const body: unknown = ctx.body;
  switch (ctx.oidc?.route) {
    case 'discovery':
      if (typeof body === 'object' && body !== null) {
        const openid = ctx.path === PATHS.openidMetadata;
        ctx.body = issuerMetadata({ ...body }, { audience: o.audience, openid });
      }
      return;
    case 'revocation':
      return answerForJwt(ctx, async (clientId, token) => {
        await o.tokens.revoke(clientId, token);
        return '';
      });
    case 'introspection':
      return answerForJwt(ctx, (clientId, token) => o.tokens.introspect(clientId, token));
  }
}

/**
 * The library answers `unsupported_token_type` to every JWT, and only after it has authenticated the client:
 * that answer is where these endpoints take over.
 */
async function answerForJwt(
  ctx: Context,
  answer: (clientId: string, token: string) => Promise<unknown>,
): Promise<void> {
  const body: unknown = ctx.body;
  const unsupported =
    typeof body === 'object' && body !== null && 'error' in body && body.error === 'unsupported_token_type';
  const { client, params } = ctx.oidc;
  if (!unsupported || client === undefined) return;
  ctx.set('cache-control', 'no-store');
  try {
    ctx.body = await answer(client.clientId, textOf(params?.token));
    ctx.status = 200;
  } catch (fault) {
    const { code, message, status, retryAfterMs } = toOAuthFault(fault);
    if (retryAfterMs !== null) ctx.set('retry-after', String(Math.ceil(retryAfterMs / 1000)));
    ctx.status = status;
    ctx.body = { error: code, error_description: message };
  }
}

/** The client as the library wants it. Which way it authenticates depends on what the request brings. */
async function findClient(
  o: ProviderOptions,
  id: string,
  placeholder: string,
): Promise<AllClientMetadata | undefined> {
  const agent = await o.directory.find(id);
  if (agent?.status !== 'active') return undefined;
  const asserted = Provider.ctx?.oidc.params?.client_assertion !== undefined;
  return {
    client_id: agent.id,
    redirect_uris: [],
    dpop_bound_access_tokens: o.boundOnly,
    ...(asserted || agent.secrets.length === 0 ? byKey(agent) : bySecret(placeholder)),
  };
}

function byKey(agent: AgentRecord): AllClientMetadata {
  return {
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: agent.jwks.map((key) => ({ ...key, kty: textOf(key.kty) })) },
  };
}

function bySecret(placeholder: string): AllClientMetadata {
  return { token_endpoint_auth_method: 'client_secret_basic', client_secret: placeholder };
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

/** A refusal here means that something of ours can't work now: the log, the memory of what was seen. */
function toOAuthFault(fault: unknown): OAuthFault {
  if (fault instanceof OAuthFault) return fault;
  if (fault instanceof Refusal) {
    return new OAuthFault('temporarily_unavailable', 'the issuer can not answer now', { cause: fault });
  }
  throw fault;
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
