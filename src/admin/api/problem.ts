import type { ServerResponse } from 'node:http';
import { describeRefusal, type Refusal, type RefusalCode } from '../../core/index.ts';

/** Status of each refusal that the control plane can answer with; any other one is a fault of ours. */
const STATUS: Partial<Readonly<Record<RefusalCode, number>>> = {
  request_malformed: 400,
  request_ambiguous: 400,
  request_timeout: 408,
  request_too_large: 413,
  body_too_large: 413,
  input_invalid: 400,
  method_not_allowed: 405,
  authority_mismatch: 421,
  authority_invalid: 400,
  admin_unauthenticated: 401,
  admin_forbidden: 403,
  not_found: 404,
  service_unknown: 404,
  credential_missing: 404,
  conflict: 409,
  idempotency_mismatch: 422,
  idempotency_in_flight: 409,
  idempotency_interrupted: 409,
  approval_denied: 409,
  approval_expired: 409,
  approval_mismatch: 409,
  credential_revoked: 409,
  credential_unusable: 409,
  credential_destination: 409,
  agent_quarantined: 409,
  destination_private: 422,
  destination_unresolvable: 422,
  throttled: 429,
  upstream_unreachable: 502,
  upstream_malformed: 502,
  upstream_timeout: 504,
  policy_unavailable: 503,
  audit_unavailable: 503,
  storage_unavailable: 503,
  vault_sealed: 503,
  overloaded: 503,
  shutting_down: 503,
};

/** Answers with problem+json (RFC 9457). `internal` and `cause` stay here; the code is the stable part. */
export function sendProblem(
  response: ServerResponse,
  refusal: Refusal,
  errors: readonly object[] = [],
): void {
  const known = STATUS[refusal.code];
  const code = known === undefined ? 'internal_error' : refusal.code;
  const { what, remedy } = describeRefusal(code);
  const body = {
    type: `urn:sallyport:refusal:${code}`,
    title: what,
    status: known ?? 500,
    ...(known === undefined || refusal.detail === null ? {} : { detail: refusal.detail }),
    code,
    remedy,
    ...(known === undefined ? {} : refusal.extra),
    ...(errors.length === 0 ? {} : { errors }),
  };
  const text = JSON.stringify(body);
  response.statusCode = body.status;
  response.setHeader('content-type', 'application/problem+json');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.setHeader('cache-control', 'no-store');
  if (body.status === 401) response.setHeader('www-authenticate', 'Bearer realm="sallyport admin"');
  if (refusal.retryAfterMs !== null) {
    response.setHeader('retry-after', String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000))));
  }
  response.end(text);
}
