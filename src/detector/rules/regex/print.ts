import type { Border, Node, SetPart } from './syntax.ts';

/** RE2 takes counts up to a thousand. */
const MAX_COUNT = 1000;

/** The expression in RE2's syntax; backwards, it matches what the expression matches in the text read from its end. */
export function print(node: Node, backwards = false): string {
  const inner = (one: Node): string => print(one, backwards);
  switch (node.kind) {
    case 'set':
      return printSet(node.negated, node.parts);
    case 'concat': {
      const items = backwards ? node.items.toReversed() : node.items;
      return items.map((one) => (one.kind === 'either' ? `(?:${inner(one)})` : inner(one))).join('');
    }
    case 'either':
      return node.options.map(inner).join('|');
    case 'repeat':
      return printRepeat(`(?:${inner(node.item)})`, node.min, node.max, node.lazy ? '?' : '');
    case 'named':
      return `(?P<${node.name}>${inner(node.item)})`;
    case 'cased':
      return `(?-i:${inner(node.item)})`;
    case 'border':
      return BORDERS[backwards ? OPPOSITE[node.where] : node.where];
    case 'look': {
      const ahead = node.ahead !== backwards;
      return `(?${ahead ? '' : '<'}${node.negated ? '!' : '='}${inner(node.item)})`;
    }
  }
}

const BORDERS: Readonly<Record<Border, string>> = {
  textStart: '\\A',
  textEnd: '\\z',
  lineStart: '(?m:^)',
  lineEnd: '(?m:$)',
  word: '\\b',
  noWord: '\\B',
};

const OPPOSITE: Readonly<Record<Border, Border>> = {
  textStart: 'textEnd',
  textEnd: 'textStart',
  lineStart: 'lineEnd',
  lineEnd: 'lineStart',
  word: 'word',
  noWord: 'noWord',
};

function printSet(negated: boolean, parts: readonly SetPart[]): string {
  if (parts.length === 0) return negated ? '(?s:.)' : '[^\\x{0}-\\x{10FFFF}]';
  const inside = parts.map((part) => (typeof part === 'string' ? part : printRange(part))).join('');
  return `[${negated ? '^' : ''}${inside}]`;
}

function printRange([from, to]: readonly [number, number]): string {
  const hex = (code: number): string => `\\x{${code.toString(16)}}`;
  return from === to ? hex(from) : `${hex(from)}-${hex(to)}`;
}

function printRepeat(item: string, min: number, max: number | null, lazy: string): string {
  if (min === 0 && max === null) return `${item}*${lazy}`;
  if (min === 1 && max === null) return `${item}+${lazy}`;
  if (min === 0 && max === 1) return `${item}?${lazy}`;
  let printed = '';
  let low = min;
  let high = max;
  while (low > MAX_COUNT || (high !== null && high > MAX_COUNT)) {
    const sure = Math.min(low, MAX_COUNT);
    printed += `${item}{${sure},${MAX_COUNT}}${lazy}`;
    low -= sure;
    high = high === null ? null : high - MAX_COUNT;
    // Without an upper end, what is sure has been counted.
    if (high !== null && high < low) low = high;
  }
  return `${printed}${item}{${low},${high ?? ''}}${lazy}`;
}
