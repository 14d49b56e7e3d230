export type RelayFaultCode =
  | 'agent_key_invalid'
  | 'issuer_unreachable'
  | 'issuer_refused'
  | 'issuer_malformed'
  | 'gateway_unreachable'
  | 'gateway_refused'
  | 'gateway_malformed'
  | 'same_user'
  | 'plain_http'
  | 'command_not_found'
  | 'command_not_executable';

/** The relay can't do its work. The message names the place and says what to do; it never holds a secret. */
export class RelayFault extends Error {
  readonly code: RelayFaultCode;
  /** The gate's own code, where it said one with its no. */
  readonly refusal: string | null;

  constructor(
    code: RelayFaultCode,
    message: string,
    { refusal, cause }: { readonly refusal?: string | null; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'RelayFault';
    this.code = code;
    this.refusal = refusal ?? null;
  }
}
