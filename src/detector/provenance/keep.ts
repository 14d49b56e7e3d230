/** Shorter pieces of a text are copies of their own; longer ones keep all of the text in memory (V8's sliced strings). */
const MIN_SLICED_CHARS = 13;

/** A copy of a piece of a text that is to outlive it: a name out of ten megabytes must not keep the ten megabytes. */
export function ownCopy(piece: string): string {
  if (piece.length < MIN_SLICED_CHARS) return piece;
  const encoding = isLatin1(piece) ? 'latin1' : 'utf16le';
  return Buffer.from(piece, encoding).toString(encoding);
}

// Measured as growth of the heap of full sets and maps, rounded up (`npm run bench:detector`).
const ENTRY_BYTES = 72;

/** What a text takes as a member of a set or as a key of a map, bytes; from above. */
export function entryBytes(text: string): number {
  return ENTRY_BYTES + 2 * text.length;
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}
