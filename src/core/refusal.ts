import type { JsonValue } from './json.ts';

/**
 * Every reason to say no, with the sentence that says what happened and the one that says what to do. The
 * wire form (status, OAuth words) is made by each door's own exhaustive map.
 */
const REASONS = {
  // Ingress: the bytes can't be read as exactly one canonical request.
  request_malformed: ['The request is not well-formed HTTP.', 'Send a request that follows RFC 9112.'],
  request_ambiguous: [
    'The request can be read in more than one way.',
    'Send each framing and routing field once, and a target without encoded delimiters.',
  ],
  request_too_large: ['The request head is larger than the gate accepts.', 'Send fewer or shorter fields.'],
  request_timeout: ['The request did not arrive in time.', 'Send the whole request without long pauses.'],
  body_too_large: [
    'The body is larger than what may be inspected before deciding.',
    'Send a smaller body, or ask the administrator for a policy that does not look at bodies.',
  ],
  method_not_allowed: [
    'This door does not take that method.',
    'See docs/start.md for the doors of the gate.',
  ],
  path_not_canonical: [
    'The path has a form that different parsers read differently.',
    'Send the path without dot segments, backslashes, double encodings and encoded slashes.',
  ],
  authority_invalid: ['The host or port is not valid.', 'Send a plain host name and port.'],
  authority_mismatch: [
    'The tunnel, the TLS server name and the Host field do not name the same place.',
    'Open a tunnel for each host.',
  ],
  protocol_unsupported: ['The gate does not speak this protocol.', 'Use HTTP/1.1 without upgrade.'],
  service_unknown: [
    'No service is registered for this destination.',
    'Ask the administrator to add it: sallyport service add.',
  ],
  input_invalid: [
    'The input does not match what this endpoint takes.',
    'Correct the members that `errors` names.',
  ],
  // Passport.
  passport_missing: [
    'The call carries no passport.',
    'Get one from the issuer and send it with a DPoP proof.',
  ],
  passport_invalid: ['The passport is not valid.', 'Get a new passport from the issuer.'],
  passport_expired: ['The passport has expired.', 'Get a new passport from the issuer.'],
  passport_revoked: [
    'The passport was revoked.',
    'Ask the administrator; a revoked lineage gets no new passport.',
  ],
  passport_audience: [
    'The passport was issued for another audience.',
    'Ask for one with this gate as resource.',
  ],
  passport_unbound: [
    'The passport is not bound to a key, and this gate takes bound ones alone.',
    'Ask for a DPoP-bound passport, or use sallyport run.',
  ],
  proof_missing: [
    'The passport is bound to a key, and no proof came with it.',
    'Send a DPoP proof (RFC 9449).',
  ],
  proof_invalid: ['The DPoP proof is not valid for this request.', 'Make a fresh proof for each request.'],
  proof_replayed: ['The DPoP proof was used before.', 'Make a fresh proof for each request.'],
  proof_nonce: ['The DPoP proof needs a nonce.', 'Repeat with the nonce of the DPoP-Nonce field.'],
  agent_quarantined: ['The agent is quarantined.', 'Ask the administrator to look at its alerts.'],
  scope_insufficient: [
    'The passport does not grant this call.',
    'Ask the issuer for the scope that is named.',
  ],
  // Policy, approvals, detector.
  policy_denied: [
    'No policy allows this call.',
    'Ask the administrator; sallyport policy explain shows why.',
  ],
  policy_unavailable: [
    'The policies can not be evaluated.',
    'Ask the administrator to run sallyport policy check.',
  ],
  approval_required: [
    'The call waits for a person to approve it.',
    'Wait for the approval, then repeat the same call.',
  ],
  approval_denied: [
    'A person denied this call.',
    'Do something else; the same call stays denied for a while.',
  ],
  approval_expired: ['The approval is no longer valid.', 'Repeat the call to ask again.'],
  approval_mismatch: ['The approval is for a different call.', 'Repeat exactly the call that was approved.'],
  detector_denied: ['The canary detector stopped the call.', 'Ask the administrator to look at the alert.'],
  detector_late: ['The detector did not answer in time.', 'Repeat the call after the time in Retry-After.'],
  throttled: ['Too many calls.', 'Repeat the call after the time in Retry-After.'],
  decoy_used: ['The call carries a decoy.', 'Stop: the administrator has been alerted.'],
  secret_in_request: [
    'The call carries a stored secret to a place where it does not belong.',
    'Stop: the administrator has been alerted.',
  ],
  // Record, credential, egress.
  audit_unavailable: [
    'The call can not be recorded, so it is not made.',
    'Repeat later; tell the administrator.',
  ],
  storage_unavailable: [
    'The database can not be reached or written now.',
    'Repeat later; tell the administrator, who finds the cause in the output of the service.',
  ],
  vault_sealed: ['The vault is sealed.', 'Ask the administrator to unseal it.'],
  credential_missing: [
    'The service has no credential.',
    'Ask the administrator to put one: sallyport credential put.',
  ],
  credential_revoked: ['The credential was revoked.', 'Ask the administrator to put a new one.'],
  credential_destination: [
    'The credential is sealed for other destinations.',
    'Ask the administrator to put it again for this destination.',
  ],
  credential_unusable: ['The credential can not be opened.', 'Ask the administrator to put it again.'],
  destination_private: [
    'The destination is a private, local or reserved address.',
    'Ask the administrator whether the service may reach private addresses.',
  ],
  destination_unresolvable: ['The name of the destination can not be resolved.', 'Check the host name.'],
  upstream_unreachable: ['The service can not be reached.', 'Repeat later.'],
  upstream_malformed: [
    'The service answered with something that is not well-formed HTTP.',
    'Tell its operator.',
  ],
  upstream_timeout: ['The service did not answer in time.', 'Repeat later.'],
  upstream_coding: [
    'The service answered in a coding that can not be checked for secrets.',
    'Ask for an answer in gzip, deflate, br, zstd or identity.',
  ],
  upstream_too_large: ['The answer is larger than the gate accepts.', 'Ask for a smaller part.'],
  // Control plane.
  admin_unauthenticated: [
    'The request carries no valid admin token.',
    'Send Authorization: Bearer <admin token>.',
  ],
  admin_forbidden: ['This admin token may not do that.', 'Use a token with the right role.'],
  not_found: ['There is nothing by that name.', 'List what there is, and check the name.'],
  idempotency_mismatch: [
    'This Idempotency-Key was used for another request.',
    'Use a new key for each request, and the same key for its repetitions alone.',
  ],
  idempotency_in_flight: [
    'A request with this Idempotency-Key is being worked on.',
    'Wait for its answer, or repeat this one after a moment.',
  ],
  idempotency_interrupted: [
    'A request with this Idempotency-Key was cut off; what it did is not known.',
    'Look whether its change was made (the audit log tells), then send it with a new key if it was not.',
  ],
  conflict: [
    'The change does not fit the current state.',
    'Read the current state, and repeat the change on it.',
  ],
  // The gate itself.
  shutting_down: ['The gate is shutting down.', 'Repeat after it is back.'],
  overloaded: ['The gate has too much to do.', 'Repeat later.'],
  client_gone: [
    'The client left before the answer was complete.',
    'Repeat the call if it is safe to repeat.',
  ],
  call_cut: ['The call was cut because a right to it was revoked.', 'Get a new passport if you still may.'],
  internal_error: ['The gate failed.', 'Tell the administrator the id of the call.'],
} as const satisfies Record<string, readonly [what: string, remedy: string]>;

export type RefusalCode = keyof typeof REASONS;

export const REFUSAL_CODES = Object.keys(REASONS) as readonly RefusalCode[];

/** The general sentence for a code, without the detail of one case. */
export function describeRefusal(code: RefusalCode): { readonly what: string; readonly remedy: string } {
  const [what, remedy] = REASONS[code];
  return { what, remedy };
}

export interface RefusalOptions {
  /** One sentence about this case; safe to show to the agent; never holds a secret. */
  readonly detail?: string;
  /** For the audit record only. */
  readonly internal?: string;
  readonly retryAfterMs?: number;
  /** Members that the wire form carries beside the standard ones (approval URL, needed scope, …). */
  readonly extra?: Readonly<Record<string, JsonValue>>;
  readonly cause?: unknown;
}

/** The gate says no. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly detail: string | null;
  readonly internal: string | null;
  readonly retryAfterMs: number | null;
  readonly extra: Readonly<Record<string, JsonValue>>;

  constructor(code: RefusalCode, options: RefusalOptions = {}) {
    super(
      options.detail ?? REASONS[code][0],
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'Refusal';
    this.code = code;
    this.detail = options.detail ?? null;
    this.internal = options.internal ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.extra = options.extra ?? {};
  }

  get remedy(): string {
    return REASONS[this.code][1];
  }
}
