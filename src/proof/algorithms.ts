/** What an asymmetric signature algorithm (RFC 7518 section 3.1, RFC 8037, RFC 9864) asks of its key. */
export type AlgorithmRule =
  | { readonly kty: 'EC'; readonly crv: string; readonly signatureBytes: number }
  | { readonly kty: 'OKP'; readonly crv: string; readonly signatureBytes: number }
  /** The signature is as long as the modulus. */
  | { readonly kty: 'RSA' };

const RULES = {
  ES256: { kty: 'EC', crv: 'P-256', signatureBytes: 64 },
  ES384: { kty: 'EC', crv: 'P-384', signatureBytes: 96 },
  ES512: { kty: 'EC', crv: 'P-521', signatureBytes: 132 },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', signatureBytes: 64 },
  Ed25519: { kty: 'OKP', crv: 'Ed25519', signatureBytes: 64 },
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
} as const satisfies Record<string, AlgorithmRule>;

/** Asymmetric ones alone: a shared secret can't prove who signed, and `none` proves nothing. */
export type SignatureAlgorithm = keyof typeof RULES;

const NAMES: ReadonlySet<string> = new Set(Object.keys(RULES));

export function isSignatureAlgorithm(name: unknown): name is SignatureAlgorithm {
  return typeof name === 'string' && NAMES.has(name);
}

export function algorithmRule(algorithm: SignatureAlgorithm): AlgorithmRule {
  return RULES[algorithm];
}
