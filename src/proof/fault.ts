/** Why a token, a proof or a key was refused. Closed: each caller maps it exhaustively to its own words. */
export type ProofFaultCode =
  /** The text is not one canonical compact JWS with plain JSON inside. */
  | 'malformed'
  | 'algorithm'
  | 'key'
  | 'signature'
  | 'type'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not_yet_valid'
  | 'claims'
  /** Authorization details that can't be read, or that ask for more than there is. */
  | 'details'
  /** A DPoP proof for another method, target or access token, or of another time. */
  | 'method'
  | 'target'
  | 'token_hash'
  | 'time'
  /** The proof lacks the nonce that is asked for, or carries another one. */
  | 'nonce';

/** A refusal of this room. The message is one sentence that may be shown to whoever sent the text. */
export class ProofFault extends Error {
  readonly code: ProofFaultCode;

  constructor(code: ProofFaultCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = 'ProofFault';
    this.code = code;
  }
}
