import { constants, createPublicKey, hash as digest, type KeyObject, verify } from 'node:crypto';
import { promisify } from 'node:util';
import type { PublicJwk, SignatureAlgorithm } from '../proof/index.ts';
import { derOf } from './ecdsa.ts';

const verifyAsync = promisify(verify);

interface Parameters {
  /** Null: the algorithm hashes by itself. */
  readonly hash: string | null;
  /** Bytes of r and of s, where the signature is of ECDSA. */
  readonly ecdsa?: number;
  readonly pss?: { readonly padding: number; readonly saltLength: number };
}

const pss = (saltLength: number) => ({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

const PARAMETERS: Readonly<Record<SignatureAlgorithm, Parameters>> = {
  ES256: { hash: 'sha256', ecdsa: 32 },
  ES384: { hash: 'sha384', ecdsa: 48 },
  ES512: { hash: 'sha512', ecdsa: 66 },
  EdDSA: { hash: null },
  Ed25519: { hash: null },
  RS256: { hash: 'sha256' },
  RS384: { hash: 'sha384' },
  RS512: { hash: 'sha512' },
  PS256: { hash: 'sha256', pss: pss(32) },
  PS384: { hash: 'sha384', pss: pss(48) },
  PS512: { hash: 'sha512', pss: pss(64) },
};

/** SHA-256, the hash that proof/ takes as an argument. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return digest('sha256', bytes, 'buffer');
}

/**
 * The signature check that proof/ takes as an argument. An agent shows the same key with each proof, and
 * OpenSSL takes longer to load a key than to use it: the last `keys` of them stay loaded.
 */
export function signatureVerifier(keys: number) {
  const load = keyLoader(keys);
  return (o: SignatureInput): boolean => {
    try {
      const question = questionOf(o, load);
      return question !== null && verify(...question);
    } catch {
      // A point that is not on its curve, a modulus that OpenSSL refuses: no signature is by such a key.
      return false;
    }
  };
}

/** As `signatureVerifier`, in another thread: for where many wait at once and no single answer is in a hurry. */
export function parallelSignatureVerifier(keys: number) {
  const load = keyLoader(keys);
  return async (o: SignatureInput): Promise<boolean> => {
    try {
      const question = questionOf(o, load);
      return question !== null && (await verifyAsync(...question));
    } catch {
      return false;
    }
  };
}

/** What OpenSSL is asked; null: no signature of this algorithm looks like that. */
function questionOf(o: SignatureInput, load: (jwk: PublicJwk) => KeyObject) {
  const { hash, ecdsa, pss } = PARAMETERS[o.algorithm];
  const signature = ecdsa === undefined ? o.signature : derOf(o.signature, ecdsa);
  if (signature === null) return null;
  const key = load(o.key);
  return [hash, o.data, pss === undefined ? key : { key, ...pss }, signature] as const;
}

interface SignatureInput {
  readonly algorithm: SignatureAlgorithm;
  readonly key: PublicJwk;
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}

function keyLoader(keys: number): (jwk: PublicJwk) => KeyObject {
  const loaded = new Map<string, KeyObject>();
  return (jwk) => {
    const name = JSON.stringify(material(jwk));
    const known = loaded.get(name) ?? createPublicKey({ key: material(jwk), format: 'jwk' });
    loaded.delete(name);
    loaded.set(name, known);
    const [oldest] = loaded.keys();
    if (loaded.size > keys && oldest !== undefined) loaded.delete(oldest);
    return known;
  };
}

function material(jwk: PublicJwk): Record<string, string> {
  const { kid: _kid, alg: _alg, ...members } = jwk;
  return members;
}
