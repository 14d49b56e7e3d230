import { constants, createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { promisify } from 'node:util';
import type { PublicJwk, SignatureAlgorithm } from '../proof/index.ts';

const verifyAsync = promisify(verify);

interface Parameters {
  /** Null: the algorithm hashes by itself. */
  readonly hash: string | null;
  readonly options: {
    readonly dsaEncoding?: 'ieee-p1363';
    readonly padding?: number;
    readonly saltLength?: number;
  };
}

const raw = { dsaEncoding: 'ieee-p1363' } as const;
const pss = (saltLength: number) => ({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
const pkcs1 = { padding: constants.RSA_PKCS1_PADDING };

const PARAMETERS: Readonly<Record<SignatureAlgorithm, Parameters>> = {
  ES256: { hash: 'sha256', options: raw },
  ES384: { hash: 'sha384', options: raw },
  ES512: { hash: 'sha512', options: raw },
  EdDSA: { hash: null, options: {} },
  Ed25519: { hash: null, options: {} },
  RS256: { hash: 'sha256', options: pkcs1 },
  RS384: { hash: 'sha384', options: pkcs1 },
  RS512: { hash: 'sha512', options: pkcs1 },
  PS256: { hash: 'sha256', options: pss(32) },
  PS384: { hash: 'sha384', options: pss(48) },
  PS512: { hash: 'sha512', options: pss(64) },
};

/** SHA-256, the hash that proof/ takes as an argument. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

/**
 * The signature check that proof/ takes as an argument. An agent shows the same key with each proof, and
 * OpenSSL takes longer to load a key than to use it: the last `keys` of them stay loaded.
 */
export function signatureVerifier(keys: number) {
  const load = keyLoader(keys);
  return (o: SignatureInput): boolean => {
    const { hash, options } = PARAMETERS[o.algorithm];
    try {
      return verify(hash, o.data, { key: load(o.key), ...options }, o.signature);
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
    const { hash, options } = PARAMETERS[o.algorithm];
    try {
      return await verifyAsync(hash, o.data, { key: load(o.key), ...options }, o.signature);
    } catch {
      return false;
    }
  };
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
