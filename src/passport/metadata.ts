import type { JsonObject, JsonValue } from '../core/index.ts';
import { DETAIL_TYPE, DPOP_ALGORITHMS } from '../proof/index.ts';

/** A status list is used by nobody after this time. */
export const STATUS_LIFETIME_SECONDS = 60;

/** Where the issuer serves what; its metadata names the same. */
export const PATHS = {
  token: '/token',
  authorization: '/authorize',
  revocation: '/revoke',
  introspection: '/introspect',
  jwks: '/jwks',
  registration: '/register',
  backchannel: '/bc-authorize',
  pushedRequests: '/par',
  deviceAuthorization: '/device_authorization',
  /** Where people type the code of a device. */
  device: '/device',
  /** With the number of the list behind it. */
  statusLists: '/status-lists/',
  oauthMetadata: '/.well-known/oauth-authorization-server',
  openidMetadata: '/.well-known/openid-configuration',
} as const;

/** Members of the library's metadata that are true here; it also names endpoints that are not served. */
const TRUE_MEMBERS = [
  'issuer',
  'token_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'jwks_uri',
  'response_types_supported',
  'token_endpoint_auth_methods_supported',
  'token_endpoint_auth_signing_alg_values_supported',
  'dpop_signing_alg_values_supported',
] as const;

/** The metadata of the issuer (RFC 8414), out of what the library says of itself. */
export function issuerMetadata(
  library: Readonly<Record<string, JsonValue | undefined>>,
  o: {
    readonly resources: readonly string[];
    readonly openid: boolean;
    readonly grants: readonly string[];
    readonly mtls: boolean;
    readonly clientDocuments: boolean;
    /** Whether agents may ask people elsewhere (OpenID CIBA), and are told by a ping. */
    readonly backchannel: { readonly pings: boolean } | null;
    /** Whether people can let agents act in their name, in a browser. */
    readonly consent: boolean;
  },
): JsonObject {
  const served: Record<string, JsonValue> = {};
  for (const name of TRUE_MEMBERS) {
    const value = library[name];
    if (value !== undefined) served[name] = value;
  }
  for (const endpoint of ['revocation', 'introspection']) {
    for (const what of ['methods', 'signing_alg_values']) {
      const value = library[`token_endpoint_auth_${what}_supported`];
      if (value === undefined) continue;
      // Who authenticates with nothing may end what it has, and learns nothing.
      const isPublic = endpoint === 'introspection' && Array.isArray(value);
      served[`${endpoint}_endpoint_auth_${what}_supported`] = isPublic
        ? value.filter((method) => method !== 'none')
        : value;
    }
  }
  if (o.consent) Object.assign(served, consentMembers(String(served.issuer)));
  served.registration_endpoint = `${served.issuer}${PATHS.registration}`;
  served.grant_types_supported = o.grants;
  if (o.mtls) {
    const methods = served.token_endpoint_auth_methods_supported;
    // At the token endpoint alone: that is where a certificate is looked at.
    served.token_endpoint_auth_methods_supported = [
      ...(Array.isArray(methods) ? methods : []),
      'self_signed_tls_client_auth',
    ];
    served.tls_client_certificate_bound_access_tokens = true;
  }
  if (o.backchannel !== null) {
    served.backchannel_authentication_endpoint = `${served.issuer}${PATHS.backchannel}`;
    served.backchannel_token_delivery_modes_supported = o.backchannel.pings ? ['poll', 'ping'] : ['poll'];
    served.backchannel_user_code_parameter_supported = false;
  }
  if (o.clientDocuments) served.client_id_metadata_document_supported = true;
  served.authorization_details_types_supported = [DETAIL_TYPE];
  served.introspection_signing_alg_values_supported = ['ES256'];
  // A verifier that checks offline learns of a revocation at the latest after this time.
  served.status_list_max_staleness_seconds = STATUS_LIFETIME_SECONDS;
  served.protected_resources = o.resources;
  // OpenID Connect Discovery 1.0 section 3 demands these two; no ID token is issued.
  if (o.openid) {
    served.subject_types_supported = ['public'];
    served.id_token_signing_alg_values_supported = ['ES256'];
  }
  return served;
}

/** What there is where people can let agents act in their name. */
function consentMembers(issuer: string): JsonObject {
  return {
    authorization_endpoint: `${issuer}${PATHS.authorization}`,
    pushed_authorization_request_endpoint: `${issuer}${PATHS.pushedRequests}`,
    device_authorization_endpoint: `${issuer}${PATHS.deviceAuthorization}`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
  };
}

/** The resource that a client means, with or without the slash that some put behind an origin (RFC 8707); or null. */
export function resourceOf(named: string, known: readonly string[]): string | null {
  return known.find((one) => named === one || (named === `${one}/` && new URL(one).origin === one)) ?? null;
}

/**
 * The metadata of the gateway as a protected resource (RFC 9728), which it serves at
 * `/.well-known/oauth-protected-resource`.
 */
export function protectedResourceMetadata(o: {
  readonly resource: string;
  readonly issuer: string;
  readonly scopes: readonly string[];
  readonly bearer: 'never' | 'loopback';
  /** Whether the gateway's listener asks clients for certificates. */
  readonly mtls: boolean;
}): JsonObject {
  return {
    resource: o.resource,
    authorization_servers: [o.issuer],
    jwks_uri: `${o.issuer}${PATHS.jwks}`,
    scopes_supported: o.scopes,
    bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: [...DPOP_ALGORITHMS],
    dpop_bound_access_tokens_required: o.bearer === 'never' && !o.mtls,
    ...(o.mtls ? { tls_client_certificate_bound_access_tokens: true } : {}),
    resource_name: 'Sallyport gateway',
  };
}
