import { RegexError } from './parse.ts';
import { charOf, EMPTY, type Node, setOf } from './syntax.ts';

/** In which direction an expression is run. RE2 with look-behinds is linear; a look-ahead is one when read backwards. */
export interface Plan {
  readonly node: Node;
  readonly backwards: boolean;
  /** Look-arounds need RE2's slower machine. */
  readonly looks: boolean;
}

/**
 * A plan that finds out whether a text has a match (not where it ends). Throws RegexError when the expression looks
 * both ahead and behind in ways that can't be undone.
 */
export function planOf(node: Node): Plan {
  const plain = openEnd(openStart(node));
  const { ahead, behind } = looksOf(plain);
  if (ahead && behind)
    throw new RegexError(
      'it looks both ahead and behind, which takes backtracking: use one of them, or two conditions',
    );
  return { node: plain, backwards: ahead, looks: ahead || behind };
}

interface Looks {
  readonly ahead: boolean;
  readonly behind: boolean;
}

export function looksOf(node: Node): Looks {
  switch (node.kind) {
    case 'set':
    case 'border':
      return { ahead: false, behind: false };
    case 'concat':
      return join(node.items);
    case 'either':
      return join(node.options);
    case 'repeat':
    case 'named':
    case 'cased':
      return looksOf(node.item);
    case 'look': {
      const inner = looksOf(node.item);
      return { ahead: inner.ahead || node.ahead, behind: inner.behind || !node.ahead };
    }
  }
}

function join(nodes: readonly Node[]): Looks {
  const all = nodes.map(looksOf);
  return { ahead: all.some((one) => one.ahead), behind: all.some((one) => one.behind) };
}

/** At its end, an expression need not go on with what may be nothing, and a look ahead is as good as a match. */
function openEnd(node: Node): Node {
  if (node.kind === 'either') return { kind: 'either', options: node.options.map(openEnd) };
  if (node.kind === 'look' && node.ahead) return lookAtEdge(node);
  if (node.kind === 'repeat' && node.min === 0) return EMPTY;
  if (node.kind !== 'concat') return node;
  const items = [...node.items];
  for (;;) {
    const last = items.pop();
    if (last === undefined) return EMPTY;
    const opened = openEnd(last);
    if (isEmpty(opened)) continue;
    return { kind: 'concat', items: [...items, opened] };
  }
}

/** The same at its start. */
function openStart(node: Node): Node {
  if (node.kind === 'either') return { kind: 'either', options: node.options.map(openStart) };
  if (node.kind === 'look' && !node.ahead) return lookAtEdge(node);
  if (node.kind === 'repeat' && node.min === 0) return EMPTY;
  if (node.kind !== 'concat') return node;
  const items = [...node.items];
  for (;;) {
    const first = items.shift();
    if (first === undefined) return EMPTY;
    const opened = openStart(first);
    if (isEmpty(opened)) continue;
    return { kind: 'concat', items: [opened, ...items] };
  }
}

/** A look at the outer edge of an expression: what is looked for may be matched; "no such character" as another, or none. */
function lookAtEdge(node: Node & { readonly kind: 'look' }): Node {
  if (!node.negated) return node.item;
  const { item } = node;
  if (item.kind !== 'set') return node;
  const other = item.parts.length === 0 ? charOf(0) : setOf(item.parts, !item.negated);
  return {
    kind: 'either',
    options: [other, { kind: 'border', where: node.ahead ? 'textEnd' : 'textStart' }],
  };
}

/** The expression without its looks: where it does not match, the expression does not. */
export function withoutLooks(node: Node): Node {
  switch (node.kind) {
    case 'set':
    case 'border':
      return node;
    case 'look':
      return EMPTY;
    case 'concat':
      return { kind: 'concat', items: node.items.map(withoutLooks) };
    case 'either':
      return { kind: 'either', options: node.options.map(withoutLooks) };
    case 'repeat':
      return { ...node, item: withoutLooks(node.item) };
    case 'named':
    case 'cased':
      return { ...node, item: withoutLooks(node.item) };
  }
}

function isEmpty(node: Node): boolean {
  return node.kind === 'concat' && node.items.length === 0;
}
