/** Why a resource server refuses a request. Closed. */
export type AccessFaultCode =
  | 'invalid_request'
  | 'invalid_token'
  | 'invalid_dpop_proof'
  | 'insufficient_scope'
  | 'status_unavailable';

const STATUS: Readonly<Record<AccessFaultCode, number>> = {
  invalid_request: 400,
  invalid_token: 401,
  invalid_dpop_proof: 401,
  insufficient_scope: 403,
  status_unavailable: 503,
};

/** A refusal of a resource server, with the status and the challenge to answer it by (RFC 6750, RFC 9449). */
export class AccessFault extends Error {
  readonly code: AccessFaultCode;
  readonly status: number;
  /** The value of `WWW-Authenticate`, or null. */
  readonly challenge: string | null;

  constructor(
    code: AccessFaultCode,
    message: string,
    o: { readonly scope?: string; readonly bare?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, o.cause === undefined ? undefined : { cause: o.cause });
    this.name = 'AccessFault';
    this.code = code;
    this.status = STATUS[code];
    this.challenge = this.status === 503 ? null : challengeOf(code, o);
  }
}

/** A request without a token gets no error code (RFC 6750 section 3.1). */
function challengeOf(code: string, o: { readonly scope?: string; readonly bare?: boolean }): string {
  const scope = o.scope === undefined ? [] : [`scope="${o.scope.replace(/["\\]/g, '')}"`];
  const parts = [...(o.bare === true ? [] : [`error="${code}"`]), ...scope, 'algs="ES256 EdDSA"'];
  return `DPoP ${parts.join(', ')}`;
}
