import type { RefusalCode } from '../core/index.ts';

/** How a refusal looks on the wire: HTTP status, OAuth error where RFC 6750 or RFC 9449 have a word for it. */
export interface Wire {
  readonly status: number;
  /** `error` of WWW-Authenticate; `''`: a challenge without an error (RFC 6750 section 3.1); null: none. */
  readonly challenge: string | null;
  /** The bytes behind the fault can't be trusted to begin a new message. */
  readonly closes: boolean;
}

const plain = (status: number): Wire => ({ status, challenge: null, closes: false });
const closing = (status: number): Wire => ({ status, challenge: null, closes: true });
const challenge = (status: number, error: string): Wire => ({ status, challenge: error, closes: false });

/** Exhaustive: a new code does not compile without its line here. */
const WIRES: Readonly<Record<RefusalCode, Wire>> = {
  request_malformed: closing(400),
  request_ambiguous: closing(400),
  request_too_large: closing(431),
  request_timeout: closing(408),
  body_too_large: closing(413),
  method_not_allowed: closing(405),
  path_not_canonical: plain(400),
  authority_invalid: closing(400),
  authority_mismatch: closing(421),
  protocol_unsupported: closing(505),
  service_unknown: plain(404),
  input_invalid: plain(400),
  passport_missing: challenge(401, ''),
  passport_invalid: challenge(401, 'invalid_token'),
  passport_expired: challenge(401, 'invalid_token'),
  passport_revoked: challenge(401, 'invalid_token'),
  passport_audience: challenge(401, 'invalid_token'),
  passport_unbound: challenge(401, 'invalid_token'),
  proof_missing: challenge(401, 'invalid_dpop_proof'),
  proof_invalid: challenge(401, 'invalid_dpop_proof'),
  proof_replayed: challenge(401, 'invalid_dpop_proof'),
  proof_nonce: challenge(401, 'use_dpop_nonce'),
  agent_quarantined: plain(403),
  scope_insufficient: challenge(403, 'insufficient_scope'),
  policy_denied: plain(403),
  policy_unavailable: plain(503),
  approval_required: plain(403),
  approval_denied: plain(403),
  approval_expired: plain(403),
  approval_mismatch: plain(403),
  detector_denied: plain(403),
  detector_late: plain(503),
  throttled: plain(429),
  decoy_used: plain(403),
  secret_in_request: plain(403),
  audit_unavailable: plain(503),
  storage_unavailable: plain(503),
  vault_sealed: plain(503),
  credential_missing: plain(503),
  credential_revoked: plain(503),
  credential_destination: plain(403),
  credential_unusable: plain(503),
  destination_private: plain(403),
  destination_unresolvable: plain(502),
  upstream_unreachable: plain(502),
  upstream_malformed: plain(502),
  upstream_timeout: plain(504),
  upstream_coding: plain(502),
  upstream_too_large: plain(502),
  admin_unauthenticated: plain(401),
  admin_forbidden: plain(403),
  not_found: plain(404),
  conflict: plain(409),
  idempotency_mismatch: plain(422),
  idempotency_in_flight: plain(409),
  idempotency_interrupted: plain(409),
  shutting_down: closing(503),
  overloaded: plain(503),
  client_gone: closing(400),
  call_cut: plain(403),
  internal_error: plain(500),
};

export function toWire(code: RefusalCode): Wire {
  return WIRES[code];
}
