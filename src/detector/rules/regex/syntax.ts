/** A regular expression as a tree. Case is ignored but inside `cased`. */
export type Node =
  | { readonly kind: 'set'; readonly negated: boolean; readonly parts: readonly SetPart[] }
  | { readonly kind: 'concat'; readonly items: readonly Node[] }
  | { readonly kind: 'either'; readonly options: readonly Node[] }
  | {
      readonly kind: 'repeat';
      readonly item: Node;
      readonly min: number;
      /** null: without end. */
      readonly max: number | null;
      readonly lazy: boolean;
    }
  /** A group that is asked for by name. */
  | { readonly kind: 'named'; readonly name: string; readonly item: Node }
  | { readonly kind: 'cased'; readonly item: Node }
  | { readonly kind: 'border'; readonly where: Border }
  | { readonly kind: 'look'; readonly ahead: boolean; readonly negated: boolean; readonly item: Node };

export type Border = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'word' | 'noWord';

/** Code points from and to, or a Unicode class as it is written (`\pL`, `[:alpha:]`). */
export type SetPart = readonly [from: number, to: number] | string;

export const LAST_CODE = 0x10ffff;

export const EMPTY: Node = { kind: 'concat', items: [] };

export function setOf(parts: readonly SetPart[], negated = false): Node {
  return { kind: 'set', negated, parts };
}

export function charOf(code: number): Node {
  return setOf([[code, code]]);
}

/** The one character that a set is, or null. */
export function singleOf(node: Node): number | null {
  if (node.kind !== 'set' || node.negated || node.parts.length !== 1) return null;
  const [part] = node.parts;
  return part !== undefined && typeof part !== 'string' && part[0] === part[1] ? part[0] : null;
}

/** What is in none of the parts; parts are sorted ranges. */
export function complement(
  parts: readonly (readonly [number, number])[],
): readonly (readonly [number, number])[] {
  const gaps: (readonly [number, number])[] = [];
  let next = 0;
  for (const [from, to] of parts) {
    if (from > next) gaps.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= LAST_CODE) gaps.push([next, LAST_CODE]);
  return gaps;
}
