import { LIMITS } from '../../core/index.ts';

/** A text that is not exactly one JSON value that all parsers read alike. */
export class JsonFault extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'JsonFault';
  }
}

/**
 * Parses JSON (RFC 8259) and refuses what I-JSON (RFC 7493) refuses: a member named twice, of which another
 * parser might take the other one, and bytes that are not UTF-8. Nesting is bounded by LIMITS.jsonDepth.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JsonFault('not well-formed JSON');
  }
  checkStructure(text);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new JsonFault('not UTF-8');
  }
}

/** Strings and the characters that build structure; everything between them carries no names. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/**
 * Walks a text that is known to be JSON: a string is a name when a colon follows it. On other text the
 * expression could be made to run over an unclosed string again and again.
 */
function checkStructure(text: string): void {
  const open: (Set<string> | null)[] = [];
  let last: string | null = null;
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':' && last !== null) addName(open.at(-1) ?? null, last);
    if (open.length > LIMITS.jsonDepth) throw new JsonFault(`nested deeper than ${LIMITS.jsonDepth} levels`);
    last = token.startsWith('"') ? token : null;
  }
}

function addName(names: Set<string> | null, token: string): void {
  const name = String(JSON.parse(token));
  if (names === null) return;
  if (names.has(name)) throw new JsonFault(`the member ${JSON.stringify(name.slice(0, 64))} stands twice`);
  names.add(name);
}
