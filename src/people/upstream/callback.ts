import { authorizationCodeGrant, fetchUserInfo } from 'openid-client';
import type { JsonObject } from '../../core/index.ts';
import type { UpstreamProvider } from './provider.ts';

/** How far clocks may be apart. */
const SKEW_MS = 60_000;

/** The provider did not vouch for anybody; the message is for the log. */
export class UpstreamFault extends Error {}

export interface UpstreamAnswer {
  /** The callback's address with its query, as the browser brought it. */
  readonly url: URL;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** The provider was to ask the person again, and not before this moment. */
  readonly askedAgainAt: number | null;
}

/**
 * Who came back from the provider: code for tokens (PKCE), then `iss`, `aud`, `nonce`, signature and time of the ID
 * token (OpenID Connect Core 1.0 section 3.1.3.7). Throws UpstreamFault.
 */
export async function readAnswer(provider: UpstreamProvider, o: UpstreamAnswer): Promise<JsonObject> {
  const configuration = await provider.configuration().catch((cause: unknown) => {
    throw new UpstreamFault('the provider can not be read', { cause });
  });
  const tokens = await authorizationCodeGrant(configuration, o.url, {
    expectedState: o.state,
    expectedNonce: o.nonce,
    pkceCodeVerifier: o.codeVerifier,
    idTokenExpected: true,
  }).catch((cause: unknown) => {
    throw new UpstreamFault(`its answer is not good (${wordOf(cause)})`, { cause });
  });
  const told = tokens.claims();
  if (told === undefined) throw new UpstreamFault('it sent no ID token');
  if (o.askedAgainAt !== null && !((told.auth_time ?? 0) * 1000 >= o.askedAgainAt - SKEW_MS)) {
    throw new UpstreamFault('it did not ask the person again');
  }
  const claims = JSON.parse(JSON.stringify(told));
  if (!lacksClaims(provider, claims) || configuration.serverMetadata().userinfo_endpoint === undefined)
    return claims;
  const more = await fetchUserInfo(configuration, tokens.access_token, told.sub).catch((cause: unknown) => {
    throw new UpstreamFault(`what it knows of the person can not be read (${wordOf(cause)})`, { cause });
  });
  // What was signed counts before what was fetched.
  return { ...JSON.parse(JSON.stringify(more)), ...claims };
}

/** Some providers keep all but the subject for their userinfo endpoint. */
function lacksClaims({ settings, conditions }: UpstreamProvider, claims: JsonObject): boolean {
  const named = settings.createUsers ? [settings.nameClaim] : [];
  return [...named, ...conditions.map(({ path }) => path[0] ?? '')].some(
    (name) => claims[name] === undefined,
  );
}

/** A word for the log that holds nothing of what was sent. */
function wordOf(fault: unknown): string {
  if (!(fault instanceof Error)) return 'unknown';
  const code = 'code' in fault && typeof fault.code === 'string' ? fault.code : fault.name;
  const error = 'error' in fault && typeof fault.error === 'string' ? ` ${fault.error.slice(0, 60)}` : '';
  return `${code}${error}`;
}
