import type { Budget } from './budget.ts';
import { CODINGS } from './codings.ts';
import { unpacked } from './packed.ts';
import { plainIn } from './plain.ts';
import { squeeze } from './squeeze.ts';

/** A coding inside a coding inside a coding. */
const MAX_DEPTH = 3;
/** Less than this holds no decoy, nor a piece of one that counts. */
const MIN_CHARS = 4;

/**
 * What the texts of one call say to whoever takes the trouble to decode them, squeezed. All that stands there is read; each
 * coding is linear, and the budget bounds what is decoded.
 */
export function* readingsOf(texts: Iterable<string | Uint8Array>, budget: Budget): Iterable<Uint8Array> {
  const seen = new Set<string>();
  let layer: string[] = [];
  for (const text of texts) {
    if (typeof text === 'string') layer.push(text);
    else layer.push(plainIn(text), ...unpacked(text, budget));
  }
  for (let depth = 0; depth <= MAX_DEPTH && layer.length > 0; depth += 1) {
    const next: string[] = [];
    for (const text of layer) {
      if (text.length < MIN_CHARS || seen.has(text)) continue;
      seen.add(text);
      yield squeeze(text);
      if (depth < MAX_DEPTH) next.push(...decoded(budget.text(text), budget));
    }
    layer = next;
  }
}

function decoded(text: string, budget: Budget): readonly string[] {
  return text === '' ? [] : CODINGS.flatMap((coding) => coding(text, budget));
}
