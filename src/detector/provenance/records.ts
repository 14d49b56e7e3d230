import { fold } from './fold.ts';

/** How far around a sentence its record is looked for. */
const BEFORE_CHARS = 3_000;
const RECORD_CHARS = 6_000;
const ABOVE_CHARS = 400;

/**
 * The record that a place belongs to: the innermost braces (JSON, Python), the item of a YAML list, or the paragraph.
 * What one mail asks for is not what its neighbour asks for.
 */
export function recordAt(text: string, at: number): string {
  let depth = 0;
  for (let i = at; i >= 0 && at - i < BEFORE_CHARS; i -= 1) {
    if (text[i] === '}') depth += 1;
    else if (text[i] === '{' && depth > 0) depth -= 1;
    else if (text[i] === '{') return text.slice(i, closingBrace(text, i));
  }
  const item = text.lastIndexOf('\n- ', at);
  if (item >= 0 || text.startsWith('- ')) return upTo(text, Math.max(0, item), text.indexOf('\n- ', at));
  return upTo(text, Math.max(0, text.lastIndexOf('\n\n', at)), text.indexOf('\n\n', at));
}

function closingBrace(text: string, open: number): number {
  const last = Math.min(text.length, open + RECORD_CHARS);
  let depth = 0;
  for (let i = open; i < last; i += 1) {
    if (text[i] === '{') depth += 1;
    else if (text[i] === '}' && --depth === 0) return i + 1;
  }
  return last;
}

function upTo(text: string, from: number, to: number): string {
  return text.slice(from, Math.min(to < 0 ? text.length : to, from + RECORD_CHARS));
}

const AUTHOR =
  /(?:sender|from|owner|author|user(?:_?name)?|creator|created_by|by|reviewer|owner_username|posted_by|account|login)['"]?\s*[:=]\s*\\?['"]?([^'"\n,}]{2,80})/gi;

/** Who wrote the record, as its fields say it; of a nested one the nearest field above. Empty when nobody is named. */
export function authorAt(text: string, at: number): string {
  const own = [...recordAt(text, at).matchAll(AUTHOR)].map(([, who]) => who);
  if (own.length > 0) return own.join(' ');
  return [...text.slice(Math.max(0, at - ABOVE_CHARS), at).matchAll(AUTHOR)].at(-1)?.[1] ?? '';
}

/** Records that are looked for in one text. */
const MAX_RECORDS = 32;

/** The records of a text whose author's name has one of `names` (folded) in it. */
export function recordsBy(text: string, names: readonly string[]): readonly string[] {
  const records = new Set<string>();
  for (const match of text.matchAll(AUTHOR)) {
    const who = fold(match[1] ?? '');
    if (!names.some((name) => who.includes(name))) continue;
    records.add(recordAt(text, match.index));
    if (records.size === MAX_RECORDS) break;
  }
  return [...records];
}
