import { type Clock, type JsonObject, Refusal, toSeconds } from '../core/index.ts';
import type { Signer } from './grants/signing.ts';
import { issuerMetadata, PATHS } from './metadata.ts';
import { OAuthFault, toOAuthFault } from './oauth-fault.ts';
import type { TokenEndpoints } from './token-endpoints.ts';

/** Media type, without `application/`, and `typ` of a signed introspection answer (RFC 9701). */
export const INTROSPECTION_TYPE = 'token-introspection+jwt';

/** What is used here of the library's context of a request. */
export interface LibraryContext {
  body: unknown;
  status: number;
  readonly path: string;
  set(field: string, value: string): void;
  /** Absent where none of its routes was met. */
  readonly oidc?: {
    readonly route: string;
    readonly client?: { readonly clientId: string } | undefined;
    readonly params?: Readonly<Record<string, unknown>> | undefined;
  };
}

export interface CompletionOptions {
  readonly audience: string;
  readonly resources: readonly string[];
  readonly tokens: TokenEndpoints;
  readonly issuer: string;
  readonly signer: Signer;
  readonly clock: Clock;
  /** Whether the client asked for a signed answer (RFC 9701 section 4). */
  readonly wantsJwt: boolean;
  /** Grants that are ours, by name. */
  readonly grants: readonly string[];
  readonly mtls: boolean;
  readonly clientDocuments: boolean;
  readonly backchannel: { readonly pings: boolean } | null;
  /** Ends what a person allowed, where the token is a refresh token; null: people can't allow anything. */
  readonly revokeRefreshToken: ((clientId: string, token: string) => Promise<boolean>) | null;
  readonly onRefused: (o: { clientId: string | null; error: string; detail: string | null }) => void;
  readonly onFault: (fault: unknown) => void;
}

/** What the library leaves to us, once it has done its part. */
export async function completeAnswer(ctx: LibraryContext, o: CompletionOptions): Promise<void> {
  const body: unknown = ctx.body;
  switch (ctx.oidc?.route) {
    case 'discovery':
      if (typeof body === 'object' && body !== null) {
        const openid = ctx.path === PATHS.openidMetadata;
        ctx.body = issuerMetadata(
          { ...body },
          {
            resources: [o.audience, ...o.resources],
            openid,
            grants: o.grants,
            mtls: o.mtls,
            clientDocuments: o.clientDocuments,
            backchannel: o.backchannel,
            consent: o.revokeRefreshToken !== null,
          },
        );
      }
      return;
    case 'revocation':
      if (await answerForRefreshToken(ctx, o)) return;
      return answerForJwt(ctx, o, async (clientId, token) => {
        await o.tokens.revoke(clientId, token);
        return '';
      });
    case 'introspection':
      await answerForJwt(ctx, o, (clientId, token) => o.tokens.introspect(clientId, token));
      return signAnswer(ctx, o);
  }
}

/** The same answer as a JWT for the client that asked (RFC 9701 section 5), so that it can be shown to others. */
async function signAnswer(ctx: LibraryContext, o: CompletionOptions): Promise<void> {
  const { issuer, signer, clock } = o;
  const aud = ctx.oidc?.client?.clientId;
  if (!o.wantsJwt || ctx.status !== 200 || aud === undefined) return;
  const found = ctx.body as JsonObject;
  const claims = { iss: issuer, aud, iat: toSeconds(clock.now()), token_introspection: found };
  ctx.body = await signer.sign(signer.current, INTROSPECTION_TYPE, claims);
  ctx.set('content-type', `application/${INTROSPECTION_TYPE}`);
}

/** Refresh tokens are ours: the library, which has authenticated the client, knows of none. */
async function answerForRefreshToken(ctx: LibraryContext, o: CompletionOptions): Promise<boolean> {
  const { client, params } = ctx.oidc ?? {};
  const token = params?.token;
  if (
    o.revokeRefreshToken === null ||
    ctx.status !== 200 ||
    client === undefined ||
    typeof token !== 'string'
  ) {
    return false;
  }
  try {
    return await o.revokeRefreshToken(client.clientId, token);
  } catch (fault) {
    answerFault(ctx, o, client.clientId, fault);
    return true;
  }
}

/**
 * The library answers `unsupported_token_type` to every JWT, and only after it has authenticated the client:
 * that answer is where these endpoints take over.
 */
async function answerForJwt(
  ctx: LibraryContext,
  o: CompletionOptions,
  answer: (clientId: string, token: string) => Promise<unknown>,
): Promise<void> {
  const body: unknown = ctx.body;
  const unsupported =
    typeof body === 'object' && body !== null && 'error' in body && body.error === 'unsupported_token_type';
  if (!unsupported || ctx.oidc?.client === undefined) return;
  const { client, params } = ctx.oidc;
  ctx.set('cache-control', 'no-store');
  try {
    ctx.body = await answer(client.clientId, typeof params?.token === 'string' ? params.token : '');
    ctx.status = 200;
  } catch (fault) {
    answerFault(ctx, o, client.clientId, fault);
  }
}

function answerFault(ctx: LibraryContext, o: CompletionOptions, clientId: string, fault: unknown): void {
  if (!(fault instanceof OAuthFault) && !(fault instanceof Refusal)) {
    o.onFault(fault);
    ctx.status = 500;
    ctx.body = { error: 'server_error' };
    return;
  }
  const { code, message, status, retryAfterMs } = toOAuthFault(fault);
  if (retryAfterMs !== null) ctx.set('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  ctx.status = status;
  ctx.body = { error: code, error_description: message };
  o.onRefused({ clientId, error: code, detail: message });
}
