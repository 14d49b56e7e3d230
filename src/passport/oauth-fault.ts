import type { Refusal } from '../core/index.ts';

/** The OAuth error codes that the issuer answers with (RFC 6749 section 5.2, RFC 6750, RFC 7591, RFC 8707, RFC 9396, RFC 9449). */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'invalid_token'
  | 'invalid_client_metadata'
  | 'invalid_redirect_uri'
  | 'invalid_authorization_details'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'temporarily_unavailable'
  | 'access_denied'
  | 'login_required'
  | 'consent_required'
  | 'request_not_supported'
  | 'request_uri_not_supported'
  | 'invalid_request_uri'
  | 'authorization_pending'
  | 'slow_down'
  | 'expired_token'
  | 'unknown_user_id'
  | 'invalid_binding_message';

const STATUS: Readonly<Record<OAuthErrorCode, number>> = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  invalid_scope: 400,
  invalid_target: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  unsupported_response_type: 400,
  invalid_token: 401,
  invalid_client_metadata: 400,
  invalid_redirect_uri: 400,
  invalid_authorization_details: 400,
  invalid_dpop_proof: 400,
  use_dpop_nonce: 400,
  temporarily_unavailable: 503,
  access_denied: 400,
  login_required: 400,
  consent_required: 400,
  request_not_supported: 400,
  request_uri_not_supported: 400,
  invalid_request_uri: 400,
  authorization_pending: 400,
  slow_down: 400,
  expired_token: 400,
  unknown_user_id: 400,
  invalid_binding_message: 400,
};

/** The issuer says no, in OAuth's words. The description may be shown to the client. */
export class OAuthFault extends Error {
  readonly code: OAuthErrorCode;
  readonly status: number;
  readonly retryAfterMs: number | null;

  constructor(
    code: OAuthErrorCode,
    description: string,
    o: { readonly status?: number; readonly retryAfterMs?: number; readonly cause?: unknown } = {},
  ) {
    super(description, o.cause === undefined ? {} : { cause: o.cause });
    this.name = 'OAuthFault';
    this.code = code;
    this.status = o.status ?? STATUS[code];
    this.retryAfterMs = o.retryAfterMs ?? null;
  }
}

export function tooManyRequests(retryAfterMs: number): OAuthFault {
  return new OAuthFault('temporarily_unavailable', 'too many requests', { status: 429, retryAfterMs });
}

/** A refusal here means that something of ours can't work now: the log, the memory of what was seen. */
export function toOAuthFault(fault: OAuthFault | Refusal): OAuthFault {
  if (fault instanceof OAuthFault) return fault;
  return new OAuthFault('temporarily_unavailable', 'the issuer can not answer now', { cause: fault });
}
