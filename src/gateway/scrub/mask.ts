/** What stands where a secret stood. No character of it needs an escape in JSON, HTML, XML or a header field. */
export const MASK = '[sallyport:redacted]';

const SHORT_MASK = '[redacted]';
const FILLER = 0x2a; // An asterisk.

const encoder = new TextEncoder();
const MASK_BYTES = encoder.encode(MASK);
const SHORT_MASK_BYTES = encoder.encode(SHORT_MASK);

/**
 * Writes the mask over `target`, in its whole width. A mask as wide as what it covers keeps Content-Length,
 * Content-Range, UTF-16 alignment, multipart offsets and length-prefixed formats (protobuf, zip) as they are,
 * so that a streamed answer stays well-formed though its head is long gone. The price: the agent learns how
 * long the secret is.
 */
export function writeMask(target: Uint8Array): void {
  const text =
    target.length >= MASK_BYTES.length
      ? MASK_BYTES
      : target.length >= SHORT_MASK_BYTES.length
        ? SHORT_MASK_BYTES
        : null;
  target.fill(FILLER);
  if (text !== null) target.set(text);
}

/** Goes on with a mask whose beginning has left already. */
export function writeMaskRest(target: Uint8Array): void {
  target.fill(FILLER);
}
