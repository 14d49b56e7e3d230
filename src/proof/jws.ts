import { type JsonObject, LIMITS } from '../core/index.ts';
import { algorithmRule, isSignatureAlgorithm, type SignatureAlgorithm } from './algorithms.ts';
import { decodeBase64url } from './base64url.ts';
import { ProofFault } from './fault.ts';
import { keyFits, type PublicJwk } from './public-jwk.ts';
import { parseStrictJsonObject } from './strict-json.ts';

/** Whether `signature` over `data` is by `key`. False, never an exception, for keys that can't be used. */
export type VerifySignature = (o: {
  readonly algorithm: SignatureAlgorithm;
  readonly key: PublicJwk;
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}) => boolean | Promise<boolean>;

/** A compact JWS whose text is canonical; nothing is said yet about who signed it. */
export interface UnverifiedJws {
  readonly algorithm: SignatureAlgorithm;
  readonly header: JsonObject;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly signedText: string;
}

/**
 * Reads a compact JWS (RFC 7515 section 7.1). The text is checked before anything is decoded, since a decoder
 * that forgives lets one signature stand for several texts. `crit` is refused whatever it names: no extension
 * is offered. Throws ProofFault.
 */
export function parseCompactJws(
  text: string,
  o: { readonly maxChars: number; readonly algorithms: ReadonlySet<SignatureAlgorithm> },
): UnverifiedJws {
  if (text.length > o.maxChars) throw new ProofFault('malformed', 'The token is too long.');
  const [encodedHeader = '', encodedPayload = '', encodedSignature = '', ...more] = text.split('.', 4);
  const parts = [encodedHeader, encodedPayload, encodedSignature].map(decodeBase64url);
  const [headerBytes, payload, signature] = parts;
  if (!headerBytes || !payload || !signature || more.length > 0) {
    throw new ProofFault('malformed', 'The token is not three parts in canonical base64url.');
  }
  const header = parseStrictJsonObject(decodeUtf8(headerBytes), LIMITS.jsonDepth);
  if (header.crit !== undefined || header.b64 !== undefined) {
    throw new ProofFault('malformed', 'The token names a critical extension, and none is offered.');
  }
  if (!isSignatureAlgorithm(header.alg) || !o.algorithms.has(header.alg)) {
    throw new ProofFault('algorithm', 'The token is signed with an algorithm that is not accepted.');
  }
  return {
    algorithm: header.alg,
    header,
    payload,
    signature,
    signedText: text.slice(0, text.lastIndexOf('.')),
  };
}

/** Throws ProofFault unless `key` may check this algorithm and the signature is its own. */
export async function checkSignature(
  jws: UnverifiedJws,
  key: PublicJwk,
  verifySignature: VerifySignature,
): Promise<void> {
  if (!keyFits(key, jws.algorithm)) {
    throw new ProofFault('key', 'The key is not one for the algorithm of the token.');
  }
  const rule = algorithmRule(jws.algorithm);
  // A signature of another length (DER, padding, one byte more) is a second spelling at best.
  const lengthFits = rule.kty === 'RSA' || jws.signature.length === rule.signatureBytes;
  const data = new TextEncoder().encode(jws.signedText);
  const good =
    lengthFits && (await verifySignature({ algorithm: jws.algorithm, key, data, signature: jws.signature }));
  if (!good) throw new ProofFault('signature', 'The signature of the token is not valid.');
}

/** The claims of a JWT: its payload as a strict JSON object. */
export function readClaims(jws: UnverifiedJws): JsonObject {
  return parseStrictJsonObject(decodeUtf8(jws.payload), LIMITS.jsonDepth);
}

/** Media type of `typ` without its optional prefix, in lower case (RFC 7515 section 4.1.9). */
export function readType(header: JsonObject): string | null {
  return typeof header.typ === 'string' ? header.typ.toLowerCase().replace(/^application\//, '') : null;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    // ignoreBOM keeps the mark in the text, where the JSON reader refuses it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ProofFault('malformed', 'A part of the token is not UTF-8.', { cause });
  }
}
