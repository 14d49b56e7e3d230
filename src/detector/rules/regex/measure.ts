import { RegexError } from './parse.ts';
import type { Node } from './syntax.ts';

/** How much of a text an expression looks at, and how large the program is that runs it. */
export interface Size {
  /** Characters of a match with what is looked at around it; null: without end. */
  readonly chars: number | null;
  /** States of its program, about. */
  readonly states: number;
}

/** RE2's own limit for counts inside counts. */
const MAX_COUNT = 1000;

export function sizeOf(node: Node): Size {
  switch (node.kind) {
    case 'set':
      return { chars: 1, states: 1 };
    case 'border':
      return { chars: 1, states: 1 };
    case 'concat':
      return node.items.map(sizeOf).reduce(sum, { chars: 0, states: 1 });
    case 'either':
      return node.options.map(sizeOf).reduce(
        (one, other) => ({
          chars: one.chars === null || other.chars === null ? null : Math.max(one.chars, other.chars),
          states: one.states + other.states,
        }),
        { chars: 0, states: 1 },
      );
    case 'repeat': {
      const { chars, states } = sizeOf(node.item);
      const copies = Math.max(1, node.max ?? node.min + 1);
      return {
        chars: chars === null || node.max === null ? null : chars * node.max,
        states: states * copies + 1,
      };
    }
    case 'named':
    case 'cased':
    case 'look':
      return sizeOf(node.item);
  }
}

function sum(one: Size, other: Size): Size {
  return {
    chars: one.chars === null || other.chars === null ? null : one.chars + other.chars,
    states: one.states + other.states,
  };
}

/** Throws RegexError where counts inside counts multiply past what RE2 takes. */
export function checkCounts(node: Node, left = MAX_COUNT): void {
  switch (node.kind) {
    case 'set':
    case 'border':
      return;
    case 'concat':
      for (const one of node.items) checkCounts(one, left);
      return;
    case 'either':
      for (const one of node.options) checkCounts(one, left);
      return;
    case 'repeat': {
      // Longer ones are printed in pieces of a thousand.
      const count = Math.min(node.max ?? node.min, MAX_COUNT);
      if (count > left) throw new RegexError('counts inside counts multiply to more than 1000');
      checkCounts(node.item, count > 1 ? Math.floor(left / count) : left);
      return;
    }
    case 'named':
    case 'cased':
    case 'look':
      checkCounts(node.item, left);
  }
}
