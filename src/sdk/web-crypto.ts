import type { PublicJwk, SignatureAlgorithm } from '../proof/index.ts';

interface Parameters {
  readonly key: { readonly name: string; readonly namedCurve?: string; readonly hash?: string };
  readonly use: { readonly name: string; readonly hash?: string; readonly saltLength?: number };
}

const ecdsa = (namedCurve: string, hash: string): Parameters => ({
  key: { name: 'ECDSA', namedCurve },
  use: { name: 'ECDSA', hash },
});
const ed25519: Parameters = { key: { name: 'Ed25519' }, use: { name: 'Ed25519' } };
const pkcs1 = (hash: string): Parameters => ({
  key: { name: 'RSASSA-PKCS1-v1_5', hash },
  use: { name: 'RSASSA-PKCS1-v1_5' },
});
const pss = (hash: string, saltLength: number): Parameters => ({
  key: { name: 'RSA-PSS', hash },
  use: { name: 'RSA-PSS', saltLength },
});

const PARAMETERS: Readonly<Record<SignatureAlgorithm, Parameters>> = {
  ES256: ecdsa('P-256', 'SHA-256'),
  ES384: ecdsa('P-384', 'SHA-384'),
  ES512: ecdsa('P-521', 'SHA-512'),
  EdDSA: ed25519,
  Ed25519: ed25519,
  RS256: pkcs1('SHA-256'),
  RS384: pkcs1('SHA-384'),
  RS512: pkcs1('SHA-512'),
  PS256: pss('SHA-256', 32),
  PS384: pss('SHA-384', 48),
  PS512: pss('SHA-512', 64),
};

/** The signature check that proof/ takes as an argument, by WebCrypto. */
export async function verifySignature(o: {
  readonly algorithm: SignatureAlgorithm;
  readonly key: PublicJwk;
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}): Promise<boolean> {
  const { key: keyParameters, use } = PARAMETERS[o.algorithm];
  const { kid: _kid, alg: _alg, ...material } = o.key;
  try {
    const key = await crypto.subtle.importKey('jwk', material, keyParameters, false, ['verify']);
    return await crypto.subtle.verify(use, key, o.signature.slice(), o.data.slice());
  } catch {
    // A point that is not on its curve: no signature is by such a key.
    return false;
  }
}

export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice()));
}
