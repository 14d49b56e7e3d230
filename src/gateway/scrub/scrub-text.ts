import type { HeaderList, Needles } from '../../core/index.ts';
import { joinOverlapping } from './intervals.ts';
import { MASK } from './mask.ts';

/**
 * Takes every form of the secrets out of a short text: a header or trailer value, a reason phrase, an error
 * message. The mask has always the same width here, since nothing counts these bytes.
 *
 * A value from the wire may have been decoded as Latin-1 (Node's http) or as UTF-8 (undici): both readings are
 * searched.
 */
export function scrubText(
  needles: Needles,
  value: string,
): { readonly value: string; readonly hits: number } {
  if (needles.count === 0) return { value, hits: 0 };
  if (isAscii(value)) return scrubAs(needles, value, 'latin1');
  const first = scrubAs(needles, value, 'utf8');
  if (!isLatin1(first.value)) return first;
  const second = scrubAs(needles, first.value, 'latin1');
  return { value: second.value, hits: first.hits + second.hits };
}

/**
 * Scrubs the fields of a head, of an interim answer or of the trailers. A field whose *name* holds a secret is
 * dropped: a name can't hold the mask.
 */
export function scrubHeaders(
  needles: Needles,
  headers: HeaderList,
): { readonly headers: HeaderList; readonly hits: number } {
  let hits = 0;
  const kept: (readonly [string, string])[] = [];
  for (const [name, value] of headers) {
    const inName = scrubText(needles, name).hits;
    if (inName > 0 || needles.inFieldName(name)) {
      hits += Math.max(1, inName);
      continue;
    }
    const scrubbed = scrubText(needles, value);
    hits += scrubbed.hits;
    kept.push([name, scrubbed.value]);
  }
  return { headers: kept, hits };
}

function scrubAs(
  needles: Needles,
  value: string,
  encoding: 'latin1' | 'utf8',
): { value: string; hits: number } {
  const bytes = Buffer.from(value, encoding);
  const matcher = needles.matcher();
  const found = joinOverlapping([...matcher.push(bytes), ...matcher.end()]);
  if (found.length === 0) return { value, hits: 0 };
  let text = '';
  let from = 0;
  for (const { start, end } of found) {
    text += bytes.toString(encoding, from, start) + MASK;
    from = end;
  }
  return { value: text + bytes.toString(encoding, from), hits: found.length };
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function isLatin1(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0xff) return false;
  return true;
}
