/**
 * ECDSA signatures as JWS has them (r and s side by side, RFC 7518 section 3.4) and as OpenSSL does (ECDSA-Sig-Value, RFC
 * 3279 section 2.2.3). Node converts by itself, but only for a key that comes inside an object of options, and to find
 * out that this object is no key takes it half as long as the signature (docs/adr/0016).
 */

const SEQUENCE = 0x30;
const INTEGER = 0x02;
/** Lengths from here on take a byte more. */
const LONG = 0x80;

/** Null when it is not `2 * size` bytes long. */
export function derOf(signature: Uint8Array, size: number): Uint8Array | null {
  if (signature.length !== 2 * size) return null;
  const r = magnitude(signature.subarray(0, size));
  const s = magnitude(signature.subarray(size));
  const bytes = lengthOf(r) + lengthOf(s);
  const head = bytes < LONG ? [SEQUENCE, bytes] : [SEQUENCE, LONG + 1, bytes];
  const der = new Uint8Array(head.length + bytes);
  der.set(head);
  put(der, head.length, r);
  put(der, head.length + lengthOf(r), s);
  return der;
}

/** Of a signature that OpenSSL made just now. */
export function rawOf(der: Uint8Array, size: number): Buffer {
  const raw = Buffer.alloc(2 * size);
  let at = (der[1] ?? 0) < LONG ? 2 : 3;
  for (const end of [size, 2 * size]) {
    const length = der[at + 1] ?? 0;
    const integer = magnitude(der.subarray(at + 2, at + 2 + length));
    if (der[at] !== INTEGER || integer.length > size) throw new TypeError('no ECDSA-Sig-Value of this curve');
    raw.set(integer, end - integer.length);
    at += 2 + length;
  }
  return raw;
}

/** Without leading zeros; zero is one of them. */
function magnitude(bytes: Uint8Array): Uint8Array {
  let first = 0;
  while (first < bytes.length - 1 && bytes[first] === 0) first += 1;
  return bytes.subarray(first);
}

/** Of an INTEGER, tag and length included: its highest bit is its sign. */
function lengthOf(integer: Uint8Array): number {
  return 2 + integer.length + ((integer[0] ?? 0) >> 7);
}

function put(der: Uint8Array, at: number, integer: Uint8Array): void {
  der.set([INTEGER, lengthOf(integer) - 2], at);
  der.set(integer, at + lengthOf(integer) - integer.length);
}
