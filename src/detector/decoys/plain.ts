/** Shorter stretches are chance, and no piece of a decoy that counts. */
const MIN_PLAIN = 6;
/** Stands between stretches: what codings take for white space, and for no part of a run. */
const BORDER = 0x0d;
/** A byte that is never plain: codings put it where a run ends. */
export const NOT_PLAIN = 0xff;

/**
 * The stretches of bytes that people write, as one text; the rest is what was decoded out of step, or is no coding at all.
 * Empty: there are none.
 */
export function plainIn(bytes: Uint8Array): string {
  const out = Buffer.allocUnsafe(bytes.length + 1);
  let length = 0;
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    const width = widthAt(bytes, at);
    if (width > 0) {
      for (const end = at + width; at < end; at += 1) out[length++] = bytes[at] as number;
      continue;
    }
    if (length - from < MIN_PLAIN) length = from;
    else out[length++] = BORDER;
    from = length;
    at += 1;
  }
  if (length - from < MIN_PLAIN) length = from;
  return length === 0 ? '' : out.toString('utf8', 0, length);
}

/** Bytes of the character that begins here; 0: none does. Zero bytes are those of UTF-16. */
function widthAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return first === 0 || (first >= 0x09 && first < 0x7f) ? 1 : 0;
  const width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (let next = at + 1; next < at + width; next += 1) if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  return width;
}
