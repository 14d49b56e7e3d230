import { type AskedGrant, readAskedGrant } from '../grants/asked-grant.ts';
import type { TokenForm } from '../grants/token-form.ts';
import { resourceOf } from '../metadata.ts';
import { OAuthFault } from '../oauth-fault.ts';
import { chooseScopes, withoutHabits } from '../scope-choice.ts';
import type { AgentRecord } from '../store.ts';
import type { ClientFinder, FoundClient } from './client-finder.ts';
import { isRegistered } from './redirect-uri.ts';

const ID_CHARS = 512;
const STATE_CHARS = 2048;
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const THUMBPRINT = CHALLENGE;
const MOST_AGE_SECONDS = 365 * 24 * 3600;

/** Where the answer to a request may be sent; until it is known, nobody is sent anywhere. */
export interface AnswerTarget {
  readonly client: FoundClient;
  readonly redirectUri: string;
  /** Null: none came. */
  readonly state: string | null;
}

/** What an agent asks a person for, by whichever way. */
export interface AskedOfPerson {
  readonly scope: string;
  readonly audience: string;
  readonly asked: AskedGrant;
}

/** An authorization request that is as it must be (OAuth 2.1 section 4.1.1). */
export interface AuthorizationRequest extends AskedOfPerson {
  /** S256. */
  readonly codeChallenge: string;
  readonly dpopJkt: string | null;
  /** `none`: no page may be shown. */
  readonly prompt: 'none' | 'login' | null;
  /** Seconds since the last sign-in, at most; null: it does not matter. */
  readonly maxAgeSeconds: number | null;
}

/**
 * Who asks, and where the answer goes. Faults here are told on a page: a redirect that is not the client's own would
 * send people wherever a stranger wants (RFC 6749 section 4.1.2.1). Throws OAuthFault.
 */
export async function readTarget(form: TokenForm, clients: ClientFinder): Promise<AnswerTarget> {
  const clientId = form.required('client_id');
  const client = clientId.length > ID_CHARS ? null : await clients.find(clientId);
  if (client === null)
    throw new OAuthFault('invalid_client', 'no client with this client_id may ask for anything');
  const { redirectUris } = client.agent;
  const named = form.one('redirect_uri');
  const [only, second] = redirectUris;
  if (only === undefined) {
    throw new OAuthFault('unauthorized_client', 'no redirect URI is registered for this client');
  }
  if (named === null && second !== undefined) {
    throw new OAuthFault('invalid_request', 'the parameter redirect_uri is missing');
  }
  const redirectUri = named ?? only;
  if (!isRegistered(redirectUri, redirectUris)) {
    throw new OAuthFault('invalid_request', 'the redirect_uri is not registered for this client');
  }
  const [state = null] = form.many('state');
  return { client, redirectUri, state: state !== null && state.length <= STATE_CHARS ? state : null };
}

/** Throws OAuthFault, which goes back to the client. */
export function readAuthorizationRequest(
  form: TokenForm,
  { client }: AnswerTarget,
  audiences: readonly string[],
): AuthorizationRequest {
  if ((form.one('state')?.length ?? 0) > STATE_CHARS) throw invalid('the state is too long');
  if (form.has('request')) {
    throw new OAuthFault('request_not_supported', 'request objects are not taken here');
  }
  if (form.required('response_type') !== 'code') {
    throw new OAuthFault('unsupported_response_type', 'the response_type is code');
  }
  if ((form.one('response_mode') ?? 'query') !== 'query') throw invalid('the response_mode is query');
  if (form.one('code_challenge_method') !== 'S256') {
    throw invalid('PKCE is needed, with code_challenge_method S256');
  }
  const codeChallenge = form.required('code_challenge');
  if (!CHALLENGE.test(codeChallenge)) throw invalid('the code_challenge is not a SHA-256 hash in base64url');
  const dpopJkt = form.one('dpop_jkt');
  if (dpopJkt !== null && !THUMBPRINT.test(dpopJkt)) throw invalid('dpop_jkt is no JWK thumbprint');
  return {
    ...readAskedOfPerson(form, client.agent, audiences),
    codeChallenge,
    dpopJkt,
    prompt: readPrompt(form),
    maxAgeSeconds: readMaxAge(form),
  };
}

/** What is asked for: scopes, resource and what narrows them. Throws OAuthFault. */
export function readAskedOfPerson(
  form: TokenForm,
  agent: AgentRecord,
  audiences: readonly string[],
): AskedOfPerson {
  const resource = form.one('resource');
  const audience = resource === null ? audiences[0] : resourceOf(resource, audiences);
  if (audience == null) {
    throw new OAuthFault('invalid_target', 'the resource is not one that passports are for');
  }
  const scopes = chooseScopes(agent, registeredOf(withoutHabits(form.one('scope')), agent));
  // An empty list would read as "all" later, when the agent may have some.
  if (scopes.length === 0) throw new OAuthFault('invalid_scope', 'no scope is registered for this client');
  return { scope: scopes.join(' '), audience, asked: readAskedGrant(form) };
}

/**
 * Clients of MCP ask for every scope that a resource names. Those that the agent may never have are left out, which the
 * person sees and the client is told (RFC 6749 section 3.3), unless none would be left.
 */
function registeredOf(scope: string | undefined, agent: AgentRecord): string | undefined {
  const registered = scope?.split(' ').filter((one) => agent.scopes.includes(one)) ?? [];
  return registered.length === 0 ? scope : registered.join(' ');
}

function readPrompt(form: TokenForm): AuthorizationRequest['prompt'] {
  const prompts = form.one('prompt')?.split(' ') ?? [];
  const unknown = prompts.find((one) => !['none', 'login', 'consent', 'select_account'].includes(one));
  if (unknown !== undefined) throw invalid('the prompt is none, login or consent');
  if (!prompts.includes('none')) return prompts.includes('login') ? 'login' : null;
  if (prompts.length > 1) throw invalid('prompt=none stands alone');
  return 'none';
}

function readMaxAge(form: TokenForm): number | null {
  const text = form.one('max_age');
  if (text === null) return null;
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= MOST_AGE_SECONDS)) throw invalid('max_age is a number of seconds');
  return value;
}

function invalid(description: string): OAuthFault {
  return new OAuthFault('invalid_request', description);
}
