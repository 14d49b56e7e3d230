export type RelayFaultCode =
  | 'agent_key_invalid'
  | 'issuer_unreachable'
  | 'issuer_refused'
  | 'issuer_malformed'
  | 'gateway_unreachable'
  | 'gateway_refused'
  | 'gateway_malformed'
  | 'same_user'
  | 'command_not_found'
  | 'command_not_executable';

/** The relay can't do its work. The message names the place and says what to do; it never holds a secret. */
export class RelayFault extends Error {
  readonly code: RelayFaultCode;

  constructor(code: RelayFaultCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'RelayFault';
    this.code = code;
  }
}
