import { type Budget, CODINGS, readBytes } from './codings.ts';
import { squeeze } from './squeeze.ts';

/** A coding inside a coding inside a coding. */
const MAX_DEPTH = 3;
const MAX_READINGS = 256;
/** Characters of all readings of one call together: what is larger is searched by its beginning. */
const MAX_CHARS = 512 * 1024;
const MAX_UNPACKS = 32;
const MAX_RUNS = 2_048;
const MAX_TEXT_CHARS = 256 * 1024;

/**
 * What the texts of one call say to whoever takes the trouble to decode them, squeezed. Bounded whatever they are: each
 * coding is linear, and what all of them yield together is counted.
 */
export function* readingsOf(texts: Iterable<string | Uint8Array>): Iterable<Uint8Array> {
  const seen = new Set<string>();
  const budget: Budget = { unpacks: MAX_UNPACKS, runs: MAX_RUNS };
  let chars = 0;
  let layer: string[] = [];
  for (const text of texts) {
    if (typeof text === 'string') layer.push(text.slice(0, MAX_TEXT_CHARS));
    else layer.push(...readBytes(Buffer.from(text.subarray(0, MAX_TEXT_CHARS)), budget));
  }
  for (let depth = 0; depth <= MAX_DEPTH && layer.length > 0; depth += 1) {
    const next: string[] = [];
    for (const text of layer) {
      if (seen.size >= MAX_READINGS || chars >= MAX_CHARS) return;
      if (seen.has(text)) continue;
      seen.add(text);
      chars += text.length;
      yield squeeze(text);
      if (depth === MAX_DEPTH) continue;
      for (const coding of CODINGS) {
        for (const decoded of coding(text, budget)) {
          if (next.length < MAX_READINGS && decoded.length >= 4 && decoded !== text) next.push(decoded);
        }
      }
    }
    layer = next;
  }
}
