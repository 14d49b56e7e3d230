import type { JsonObject, JsonValue } from '../core/index.ts';
import { algorithmRule, isSignatureAlgorithm, type SignatureAlgorithm } from './algorithms.ts';
import { decodeBase64url } from './base64url.ts';
import { ProofFault } from './fault.ts';

interface Declared {
  readonly kid: string | null;
  /** The one algorithm that the key is declared for, where it is. */
  readonly alg: SignatureAlgorithm | null;
}

/** A public key that can check signatures (RFC 7517), and nothing else of what its JWK carried. */
export type PublicJwk = Declared &
  (
    | { readonly kty: 'EC'; readonly crv: string; readonly x: string; readonly y: string }
    | { readonly kty: 'OKP'; readonly crv: string; readonly x: string }
    | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  );

const COORDINATE_BYTES: ReadonlyMap<string, number> = new Map([
  ['P-256', 32],
  ['P-384', 48],
  ['P-521', 66],
]);
const ED25519_BYTES = 32;
/** RFC 7518 section 3.3 asks for 2,048 bits; the upper bound keeps a hostile key from costing much. */
const RSA_BITS = { least: 2048, most: 8192 } as const;
const EXPONENT_BYTES = 4;
const KID_CHARS = 256;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;

/**
 * Reads a public JWK. Throws ProofFault('key') for symmetric keys, keys with a private part (even an empty
 * one: somebody is about to publish a secret), weak or malformed keys, and keys declared for another use.
 */
export function parsePublicJwk(value: JsonValue | undefined): PublicJwk {
  if (!isObject(value)) throw unusable('is no JSON object');
  const held = PRIVATE_MEMBERS.find((member) => Object.hasOwn(value, member));
  if (held !== undefined) throw unusable(`has the private member ${held}`);
  if (value.use !== undefined && value.use !== 'sig') throw unusable('is declared for another use');
  const operations = value.key_ops;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    throw unusable('is not declared for checking signatures');
  }
  const declared = { kid: readKid(value.kid), alg: readAlgorithm(value.alg) };
  const key = readKey(value, declared);
  if (key.alg !== null && !keyFits(key, key.alg))
    throw unusable('is of another type than its algorithm asks for');
  return key;
}

/** Whether the key is of the type and curve that the algorithm needs, and is declared for no other one. */
export function keyFits(key: PublicJwk, algorithm: SignatureAlgorithm): boolean {
  const rule = algorithmRule(algorithm);
  if (key.kty !== rule.kty) return false;
  if (key.kty !== 'RSA' && rule.kty !== 'RSA' && key.crv !== rule.crv) return false;
  return key.alg === null || key.alg === algorithm;
}

function readKey(value: JsonObject, declared: Declared): PublicJwk {
  const { kty, crv, x, y, n, e } = value;
  switch (kty) {
    case 'EC': {
      const bytes = typeof crv === 'string' ? COORDINATE_BYTES.get(crv) : undefined;
      if (typeof crv !== 'string' || bytes === undefined) throw unusable('is on a curve that is not offered');
      return { kty, crv, x: octets(x, bytes), y: octets(y, bytes), ...declared };
    }
    case 'OKP':
      if (crv !== 'Ed25519') throw unusable('is on a curve that is not offered');
      return { kty, crv, x: octets(x, ED25519_BYTES), ...declared };
    case 'RSA':
      return { kty, n: modulus(n), e: exponent(e), ...declared };
    default:
      throw unusable('is of a type that is not offered');
  }
}

function octets(value: JsonValue | undefined, length: number): string {
  if (typeof value !== 'string' || decodeBase64url(value)?.length !== length) {
    throw unusable('has a coordinate of the wrong length');
  }
  return value;
}

function modulus(value: JsonValue | undefined): string {
  const bytes = typeof value === 'string' ? decodeBase64url(value) : null;
  const [first] = bytes ?? [];
  if (typeof value !== 'string' || bytes === null || first === undefined || first === 0) {
    throw unusable('has a malformed modulus');
  }
  const bits = bytes.length * 8 - (Math.clz32(first) - 24);
  if (bits < RSA_BITS.least || bits > RSA_BITS.most) {
    throw unusable(`has ${bits} bits; RSA keys have ${RSA_BITS.least} to ${RSA_BITS.most}`);
  }
  return value;
}

function exponent(value: JsonValue | undefined): string {
  const bytes = typeof value === 'string' ? decodeBase64url(value) : null;
  const last = bytes?.at(-1) ?? 0;
  if (typeof value !== 'string' || bytes === null || bytes.length > EXPONENT_BYTES) {
    throw unusable('has a malformed exponent');
  }
  if (bytes[0] === 0 || (last & 1) === 0 || (bytes.length === 1 && last < 3)) {
    throw unusable('has an exponent that proves nothing');
  }
  return value;
}

function readKid(value: JsonValue | undefined): string | null {
  if (value === undefined) return null;
  if (typeof value !== 'string' || value.length === 0 || value.length > KID_CHARS) {
    throw unusable('has a malformed kid');
  }
  return value;
}

function readAlgorithm(value: JsonValue | undefined): SignatureAlgorithm | null {
  if (value === undefined) return null;
  if (!isSignatureAlgorithm(value)) throw unusable('is declared for an algorithm that is not offered');
  return value;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(what: string): ProofFault {
  return new ProofFault('key', `The key ${what}.`);
}
