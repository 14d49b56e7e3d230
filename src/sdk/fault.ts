/** Why the SDK could not do what was asked. Closed. */
export type SdkFaultCode =
  /** The issuer or the gate can't be reached, or answers in a way that it never would. */
  | 'unreachable'
  | 'malformed'
  /** The issuer gives no passport: `oauthError` has its reason. */
  | 'refused'
  /** The gate says no: `problem` has its document. */
  | 'gate_refused';

/** A failure with a code that stays the same, and one sentence that says what happened. */
export class SdkFault extends Error {
  readonly code: SdkFaultCode;
  /** The `error` of an OAuth answer (RFC 6749 section 5.2), where there is one. */
  readonly oauthError: string | null;

  constructor(
    code: SdkFaultCode,
    message: string,
    o: { readonly oauthError?: string; readonly cause?: unknown } = {},
  ) {
    super(message, o.cause === undefined ? undefined : { cause: o.cause });
    this.name = 'SdkFault';
    this.code = code;
    this.oauthError = o.oauthError ?? null;
  }
}
