import type { JsonObject, JsonValue } from '../../core/index.ts';
import { OAuthFault } from '../oauth-fault.ts';

const AUTH_METHODS = ['private_key_jwt', 'client_secret_basic', 'client_secret_post'] as const;
const NAME_CHARS = 200;
const SLUG_CHARS = 50;

/** What a client says of itself when it registers (RFC 7591 section 2), as far as we know it. */
export interface AskedRegistration {
  /** A name of ours, made of `client_name`; null: it gave none. */
  readonly name: string | null;
  readonly authMethod: (typeof AUTH_METHODS)[number];
  /** Null: it names none. */
  readonly scopes: readonly string[] | null;
  readonly jwks: readonly JsonValue[];
}

/**
 * Reads client metadata. Members that we don't know are ignored, as RFC 7591 section 2 asks; what we know and can't
 * give is an error, so that nobody believes to have it. Throws OAuthFault('invalid_client_metadata').
 */
export function readRegistration(body: JsonObject, grants: readonly string[]): AskedRegistration {
  const jwks = keysOf(body);
  if (body.jwks_uri !== undefined) throw invalid('jwks_uri is not taken here: put the keys into jwks');
  const fallback = jwks.length > 0 ? 'private_key_jwt' : 'client_secret_basic';
  const authMethod = AUTH_METHODS.find((one) => one === (body.token_endpoint_auth_method ?? fallback));
  if (authMethod === undefined) {
    throw invalid(`token_endpoint_auth_method is one of ${AUTH_METHODS.join(', ')}`);
  }
  if ((authMethod === 'private_key_jwt') !== jwks.length > 0) {
    throw invalid('jwks goes with private_key_jwt, and private_key_jwt needs it');
  }
  for (const grant of textsOf(body, 'grant_types') ?? []) {
    if (!grants.includes(grant)) throw invalid(`grant_types are some of ${grants.join(', ')}`);
  }
  if (
    (textsOf(body, 'redirect_uris') ?? []).length > 0 ||
    (textsOf(body, 'response_types') ?? []).length > 0
  ) {
    throw invalid(
      'agents that register themselves act for themselves: no redirect_uris and no response_types',
    );
  }
  const scope = textOf(body, 'scope');
  const name = textOf(body, 'client_name');
  return {
    name: name === null ? null : slugOf(name),
    authMethod,
    scopes: scope === null ? null : scope.split(' ').filter((one) => one !== ''),
    jwks,
  };
}

/** A name of ours for what people call it: lower-case letters, digits and hyphens. */
export function slugOf(name: string): string | null {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, SLUG_CHARS)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? null : slug;
}

function keysOf({ jwks }: JsonObject): readonly JsonValue[] {
  if (jwks === undefined) return [];
  const keys = typeof jwks === 'object' && jwks !== null && 'keys' in jwks ? jwks.keys : undefined;
  if (!Array.isArray(keys) || keys.length === 0) throw invalid('jwks is a JWK set (RFC 7517) with a key');
  return keys;
}

function textOf(body: JsonObject, name: string): string | null {
  const value = body[name];
  if (value === undefined) return null;
  const most = name === 'client_name' ? NAME_CHARS : 8192;
  if (typeof value !== 'string' || value === '' || value.length > most) throw invalid(`${name} is malformed`);
  return value;
}

function textsOf(body: JsonObject, name: string): readonly string[] | null {
  const value = body[name];
  if (value === undefined) return null;
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) {
    throw invalid(`${name} is a list of texts`);
  }
  return value.map(String);
}

function invalid(description: string): OAuthFault {
  return new OAuthFault('invalid_client_metadata', description);
}
