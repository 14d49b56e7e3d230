import type { JsonObject, JsonValue } from '../core/index.ts';
import type { SignatureAlgorithm } from './algorithms.ts';
import { decodeBase64url } from './base64url.ts';
import { ProofFault } from './fault.ts';
import { checkSignature, parseCompactJws, readClaims, readType, type VerifySignature } from './jws.ts';
import type { PublicJwk } from './public-jwk.ts';

/** Bits of one entry (draft-ietf-oauth-status-list section 4). */
export type StatusBits = 1 | 2 | 4 | 8;

export const STATUS_LIST_TYPE = 'statuslist+jwt';

/** A list of eight bits for a million passports is this long; more is an attempt to fill the memory. */
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_TOKEN_CHARS = 6 * 1024 * 1024;
const SKEW_SECONDS = 5;
const ADLER_BYTES = 4;
const ADLER_BASE = 65_521;

/** A decoded list. */
export class StatusList {
  readonly bits: StatusBits;
  /** How many entries there are. */
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bits: StatusBits, bytes: Uint8Array) {
    this.bits = bits;
    this.size = (bytes.length * 8) / bits;
    this.#bytes = bytes;
  }

  /** The status of an entry. Throws ProofFault for an index that the list does not have: it is never "valid". */
  at(index: unknown): number {
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= this.size) {
      throw new ProofFault('claims', 'The status list has no such entry.');
    }
    const bit = index * this.bits;
    const byte = this.#bytes[Math.floor(bit / 8)] ?? 0;
    return (byte >> (bit % 8)) & ((1 << this.bits) - 1);
  }
}

/** The bytes of a list of one-bit entries, `size` rounded up to whole bytes, packed from the lowest bit on. */
export function packStatuses(size: number, invalid: Iterable<number>): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(size / 8));
  for (const index of invalid) {
    const at = Math.floor(index / 8);
    bytes[at] = (bytes[at] ?? 0) | (1 << (index % 8));
  }
  return bytes;
}

/** Reads `{bits, lst}` (section 4.2). Throws ProofFault. */
export async function parseStatusList(value: JsonValue | undefined): Promise<StatusList> {
  if (!isObject(value)) throw malformed('is missing');
  const { bits, lst } = value;
  if (bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8) throw malformed('has entries of no known size');
  const packed = typeof lst === 'string' ? decodeBase64url(lst) : null;
  if (packed === null || packed.length === 0) throw malformed('is not in base64url');
  const bytes = await inflate(packed);
  if (bytes.length === 0) throw malformed('has no entries');
  return new StatusList(bits, bytes);
}

export interface StatusListExpectation {
  /** Where the token was got from, which is what it must be about. */
  readonly uri: string;
  readonly issuer: string;
  readonly algorithms: ReadonlySet<SignatureAlgorithm>;
  readonly findKey: (kid: string) => PublicJwk | null;
  readonly verifySignature: VerifySignature;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface StatusListToken {
  readonly list: StatusList;
  /** Until when it may be used (ms): its `ttl` from now on, and never beyond its `exp`. */
  readonly freshUntil: number;
}

/** Checks a Status List Token (section 8.3). Throws ProofFault: nothing that it says counts then. */
export async function verifyStatusListToken(
  text: string,
  expected: StatusListExpectation,
): Promise<StatusListToken> {
  const jws = parseCompactJws(text, { maxChars: MOST_TOKEN_CHARS, algorithms: expected.algorithms });
  if (readType(jws.header) !== STATUS_LIST_TYPE) throw new ProofFault('type', 'It is no status list token.');
  const { kid } = jws.header;
  const key = typeof kid === 'string' ? expected.findKey(kid) : null;
  if (key === null)
    throw new ProofFault('key', 'The status list is signed with a key that the issuer does not have.');
  await checkSignature(jws, key, expected.verifySignature);
  const claims = readClaims(jws);
  if (claims.iss !== expected.issuer)
    throw new ProofFault('issuer', 'The status list is from another issuer.');
  if (claims.sub !== expected.uri) throw new ProofFault('claims', 'The status list is another one.');
  const freshUntil = readTimes(claims, expected.now);
  return { list: await parseStatusList(claims.status_list), freshUntil };
}

function readTimes({ iat, exp, ttl }: JsonObject, now: number): number {
  const seconds = now / 1000;
  if (typeof iat !== 'number' || iat > seconds + SKEW_SECONDS) {
    throw new ProofFault('not_yet_valid', 'The status list is from the future.');
  }
  if (exp !== undefined && !(typeof exp === 'number' && exp > seconds)) {
    throw new ProofFault('expired', 'The status list has expired.');
  }
  if (ttl !== undefined && !(typeof ttl === 'number' && ttl > 0)) {
    throw new ProofFault('claims', 'The status list has a malformed ttl.');
  }
  return Math.min(
    now + (typeof ttl === 'number' ? ttl : 0) * 1000,
    exp === undefined ? Infinity : Number(exp) * 1000,
  );
}

/**
 * Inflates a zlib stream (RFC 1950). The checksum is compared with the last bytes of the input, so that nothing
 * stands behind the stream: not every runtime's own check is that strict.
 */
async function inflate(packed: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([packed.slice()]).stream().pipeThrough(new DecompressionStream('deflate'));
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      length += chunk.length;
      if (length > MOST_BYTES) throw malformed('is too large');
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof ProofFault ? cause : malformed('is not compressed with zlib', cause);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  const checksum = new DataView(packed.buffer, packed.byteOffset + packed.length - ADLER_BYTES).getUint32(0);
  if (checksum !== adler32(bytes)) throw malformed('has a wrong checksum, or bytes behind its end');
  return bytes;
}

function adler32(bytes: Uint8Array): number {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % ADLER_BASE;
    high = (high + low) % ADLER_BASE;
  }
  return high * 65_536 + low;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(what: string, cause?: unknown): ProofFault {
  return new ProofFault('malformed', `The status list ${what}.`, cause === undefined ? {} : { cause });
}
