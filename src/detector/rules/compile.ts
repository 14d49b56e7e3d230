import { createHash } from 'node:crypto';
import type { RuleEvent } from './event.ts';
import { CompiledLeaf, type Place } from './leaf.ts';
import { better, type Literals } from './regex/literals.ts';
import { type Condition, type Count, isLeaf, type Rule, type Sequence } from './rule.ts';
import { type Several, severalOf } from './several.ts';
import type { RuleState, Seen } from './state.ts';

/** A rule as it runs. */
export interface CompiledRule {
  readonly rule: Rule;
  /** Its tests of single texts, in the order that they stand in; not those under `not`. */
  readonly leaves: readonly CompiledLeaf[];
  /** At least one of these stands in an event that the rule has to look at; null: it looks at all. */
  readonly trigger: Literals;
  /** Takes the event in; what was seen on the way when the rule matches at this event, else null. */
  readonly look: (event: RuleEvent, state: RuleState, seen: Seen) => readonly Seen[] | null;
  /** The field and text that evidence is taken from, when there is one. */
  readonly shown: (event: RuleEvent) => string | null;
}

const AROUND_CHARS = 40;
const NO_WAY: readonly Seen[] = [];

/** Throws Error with a sentence when the rule can't run. */
export function compileRule(rule: Rule): CompiledRule {
  const compiler = new Compiler(rule);
  const { test, trigger } = compiler.compile(rule.match);
  const { leaves, several } = compiler;
  return {
    rule,
    leaves,
    // What looks at several events has to see the steps before the last as well.
    trigger: several.reduce<Literals>((so, one) => union([so, one.trigger]), trigger),
    look: (event, state, seen) => {
      const ways = several.map((one) => one.advance(event, state, seen));
      if (!rule.on.includes(event.on) || !test(event, ways)) return null;
      return ways.find((way) => way !== null) ?? NO_WAY;
    },
    shown: (event) => {
      for (const leaf of leaves) {
        const found = leaf.place(event);
        if (found !== null) return `${leaf.leaf.field}: ${around(found)}`;
      }
      return null;
    },
  };
}

type Ways = readonly (readonly Seen[] | null)[];

interface Compiled {
  readonly test: (event: RuleEvent, ways: Ways) => boolean;
  readonly trigger: Literals;
}

class Compiler {
  readonly leaves: CompiledLeaf[] = [];
  readonly several: Several[] = [];
  readonly #rule: Rule;

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  compile(condition: Condition): Compiled {
    if (isLeaf(condition)) {
      const leaf = new CompiledLeaf(condition);
      this.leaves.push(leaf);
      return { test: (event) => leaf.holds(event), trigger: leaf.trigger };
    }
    if ('all' in condition) {
      const parts = condition.all.map((one) => this.compile(one));
      return {
        test: (event, ways) => parts.every(({ test }) => test(event, ways)),
        trigger: parts.reduce<Literals>((best, one) => better(best, one.trigger), null),
      };
    }
    if ('any' in condition) {
      const parts = condition.any.map((one) => this.compile(one));
      return {
        test: (event, ways) => parts.some(({ test }) => test(event, ways)),
        trigger: union(parts.map(({ trigger }) => trigger)),
      };
    }
    if ('not' in condition) {
      // What a rule leaves alone is no evidence for it, and starts nothing.
      const { test } = new Compiler(this.#rule).compile(condition.not);
      return { test: (event, ways) => !test(event, ways), trigger: null };
    }
    return this.#compileSeveral(condition);
  }

  #compileSeveral(condition: { readonly sequence: Sequence } | { readonly count: Count }): Compiled {
    const index = this.several.length;
    const several = severalOf(
      condition,
      `${this.#rule.id}#${index}#${digestOf(condition)}`,
      this.#rule,
      (one) => {
        const { test, trigger } = this.compile(one);
        return { test: (event) => test(event, []), trigger };
      },
    );
    this.several.push(several);
    return {
      test: (_: RuleEvent, ways: Ways) => (ways[index] ?? null) !== null,
      trigger: several.trigger,
    };
  }
}

/** Null when one of them may be anything. */
function union(triggers: readonly Literals[]): Literals {
  if (triggers.some((one) => one === null)) return null;
  return [...new Set(triggers.flatMap((one) => one ?? []))];
}

/** Sessions keep their place in a sequence through a reload when the condition is the same as before. */
function digestOf(condition: unknown): string {
  return createHash('sha256').update(JSON.stringify(condition)).digest('base64url').slice(0, 16);
}

function around({ text, start, end }: Place): string {
  return text.slice(Math.max(0, start - AROUND_CHARS), end + AROUND_CHARS);
}
