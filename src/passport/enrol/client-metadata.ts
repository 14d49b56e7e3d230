import type { JsonObject, JsonValue } from '../../core/index.ts';
import { redirectFaults } from '../consent/redirect-uri.ts';
import { OAuthFault } from '../oauth-fault.ts';

const AUTH_METHODS = ['private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none'] as const;
/** Grants in which a person lets the agent act. */
const CODE_GRANTS = ['authorization_code', 'refresh_token'];
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
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
  readonly redirectUris: readonly string[];
  /** Whether it may ask people by the device flow. */
  readonly device: boolean;
}

/** What the issuer offers to those who register. */
export interface OfferedGrants {
  /** Grants that an agent with credentials of its own may use. */
  readonly grants: readonly string[];
  /** Whether people can let agents act in their name. */
  readonly offersConsent: boolean;
}

/**
 * Reads client metadata. Members that we don't know are ignored, as RFC 7591 section 2 asks; what we know and can't
 * give is an error, so that nobody believes to have it. Throws OAuthFault('invalid_client_metadata').
 */
export function readRegistration(body: JsonObject, o: OfferedGrants): AskedRegistration {
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
  const offered = [...o.grants, ...(o.offersConsent ? [...CODE_GRANTS, DEVICE_GRANT] : [])];
  const grants = textsOf(body, 'grant_types') ?? [];
  for (const grant of grants) {
    if (!offered.includes(grant)) throw invalid(`grant_types are some of ${offered.join(', ')}`);
  }
  const redirectUris = redirectsOf(body, o.offersConsent);
  const device = grants.includes(DEVICE_GRANT);
  if (authMethod === 'none' && redirectUris.length === 0 && !device) {
    throw invalid('a client that authenticates with nothing needs redirect_uris, or the grant of devices');
  }
  const scope = textOf(body, 'scope');
  const name = textOf(body, 'client_name');
  return {
    name: name === null ? null : slugOf(name),
    authMethod,
    scopes: scope === null ? null : scope.split(' ').filter((one) => one !== ''),
    jwks,
    redirectUris,
    device,
  };
}

function redirectsOf(body: JsonObject, offered: boolean): readonly string[] {
  const uris = textsOf(body, 'redirect_uris') ?? [];
  const types = textsOf(body, 'response_types') ?? [];
  if (!offered && uris.length + types.length > 0) {
    throw invalid('agents act for themselves here: no redirect_uris and no response_types');
  }
  if (types.some((type) => type !== 'code')) throw invalid('the one of response_types is code');
  const [fault] = redirectFaults(uris);
  if (fault !== undefined) throw new OAuthFault('invalid_redirect_uri', fault);
  return uris;
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
