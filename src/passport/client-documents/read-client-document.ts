import { type JsonObject, LIMITS } from '../../core/index.ts';
import { ProofFault, parseStrictJsonObject } from '../../proof/index.ts';
import { redirectFaults } from '../consent/redirect-uri.ts';

/** Longest address that is taken as a client_id. */
const URL_CHARS = 512;
const NAME_CHARS = 200;

/** What a client ID metadata document says, as far as we know it. */
export interface ClientDocument {
  readonly name: string | null;
  /** The keys themselves, or where they are; null: the client keeps no secret and acts for people alone. */
  readonly keys: { readonly jwks: readonly JsonObject[] } | { readonly jwksUri: string } | null;
  readonly redirectUris: readonly string[];
}

/**
 * Whether a client_id is the address of a document (draft-ietf-oauth-client-id-metadata-document section 3): https, in
 * the one spelling that URL parsers give it, with a path, and without user, fragment and query.
 */
export function isDocumentAddress(clientId: string): boolean {
  const url = clientId.length <= URL_CHARS && clientId.startsWith('https://') ? URL.parse(clientId) : null;
  if (url === null || url.href !== clientId) return false;
  return (
    url.pathname !== '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  );
}

/** Throws ProofFault where the document is not that of a client that authenticates with keys, or acts for people alone. */
export function readClientDocument(text: string, address: string): ClientDocument {
  const body = parseStrictJsonObject(text, LIMITS.jsonDepth);
  if (body.client_id !== address) throw faulty('its client_id is not its address');
  if (body.client_secret !== undefined || body.client_secret_expires_at !== undefined) {
    throw faulty('it holds a client secret');
  }
  const name = typeof body.client_name === 'string' ? body.client_name.slice(0, NAME_CHARS) : null;
  const redirectUris = redirectsOf(body);
  // RFC 7591 section 2 has client_secret_basic where nothing is said, which a document in public can't be.
  switch (body.token_endpoint_auth_method) {
    case 'private_key_jwt':
      return { name, keys: keysOf(body), redirectUris };
    case 'none':
      if (redirectUris.length === 0) throw faulty('it has neither keys nor redirect_uris');
      return { name, keys: null, redirectUris };
    default:
      throw faulty('its token_endpoint_auth_method is neither private_key_jwt nor none');
  }
}

/** The keys of a JWK set. Throws ProofFault. */
export function readKeySet(text: string): readonly JsonObject[] {
  return keyList(parseStrictJsonObject(text, LIMITS.jsonDepth));
}

function redirectsOf({ redirect_uris: uris = [] }: JsonObject): readonly string[] {
  if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === 'string')) {
    throw faulty('its redirect_uris are malformed');
  }
  const [fault] = redirectFaults(uris.map(String));
  if (fault !== undefined) throw faulty(fault);
  return uris.map(String);
}

function keysOf({ jwks, jwks_uri }: JsonObject): ClientDocument['keys'] {
  if ((jwks === undefined) === (jwks_uri === undefined)) throw faulty('it has jwks or jwks_uri, one of them');
  if (jwks === undefined) {
    if (typeof jwks_uri !== 'string' || jwks_uri.length > URL_CHARS)
      throw faulty('its jwks_uri is malformed');
    return { jwksUri: jwks_uri };
  }
  if (typeof jwks !== 'object' || jwks === null || Array.isArray(jwks)) throw faulty('its jwks is malformed');
  return { jwks: keyList(jwks as JsonObject) };
}

function keyList({ keys }: JsonObject): readonly JsonObject[] {
  const good = Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null);
  if (!good || keys.length === 0) throw faulty('it has no list of keys');
  return keys as readonly JsonObject[];
}

function faulty(why: string): ProofFault {
  return new ProofFault('malformed', `The client's document is not taken: ${why}.`);
}
