import { createHash } from 'node:crypto';
import type { RuleEvent } from './event.ts';
import { type CompiledLeaf, compileLeaf, type Place } from './leaf.ts';
import { type Condition, isLeaf, type Rule, type Stateless } from './rule.ts';
import { type Several, severalOf } from './several.ts';
import type { RuleState, Seen } from './state.ts';

export type Test = (event: RuleEvent) => boolean;

/** A rule as it runs. */
export interface CompiledRule {
  readonly rule: Rule;
  /** Its tests of single texts, in the order that they stand in. */
  readonly leaves: readonly CompiledLeaf[];
  /** Its conditions over several events. */
  readonly several: readonly Several[];
  /** Takes the event in; what was seen on the way when the rule matches at this event, else null. */
  readonly look: (event: RuleEvent, state: RuleState, seen: Seen) => readonly Seen[] | null;
  /** The field and text that evidence is taken from, when there is one. */
  readonly shown: (event: RuleEvent) => string | null;
}

const AROUND_CHARS = 40;
const NO_WAY: readonly Seen[] = [];

/** Throws Error with a sentence when the rule can't run. */
export function compileRule(rule: Rule): CompiledRule {
  const leaves: CompiledLeaf[] = [];
  const several: Several[] = [];
  const test = compileCondition(rule.match, rule, leaves, several);
  return {
    rule,
    leaves,
    several,
    look: (event, state, seen) => {
      // Every condition over several events sees every event, whatever the others say.
      const ways = several.map((one) => one.advance(event, state, seen));
      if (!rule.on.includes(event.on) || !test(event, ways)) return null;
      return ways.find((way) => way !== null) ?? NO_WAY;
    },
    shown: (event) => {
      for (const { leaf, place } of leaves) {
        const found = place(event);
        if (found !== null) return `${leaf.field}: ${around(found)}`;
      }
      return null;
    },
  };
}

type Ways = readonly (readonly Seen[] | null)[];
type FullTest = (event: RuleEvent, ways: Ways) => boolean;

function compileCondition(
  condition: Condition,
  rule: Rule,
  leaves: CompiledLeaf[],
  several: Several[],
): FullTest {
  const inner = (one: Condition): FullTest => compileCondition(one, rule, leaves, several);
  if (isLeaf(condition)) {
    const leaf = compileLeaf(condition);
    leaves.push(leaf);
    return (event) => leaf.holds(event);
  }
  if ('all' in condition) {
    const tests = condition.all.map(inner);
    return (event, ways) => tests.every((test) => test(event, ways));
  }
  if ('any' in condition) {
    const tests = condition.any.map(inner);
    return (event, ways) => tests.some((test) => test(event, ways));
  }
  if ('not' in condition) {
    // What a rule leaves alone is no evidence for it.
    const test = compileCondition(condition.not, rule, [], several);
    return (event, ways) => !test(event, ways);
  }
  const index = several.length;
  const key = `${rule.id}#${index}#${digestOf(condition)}`;
  const compileStateless = (one: Stateless): Test => {
    const test = compileCondition(one, rule, leaves, []);
    return (event) => test(event, []);
  };
  several.push(severalOf(condition, key, rule, compileStateless));
  return (_, ways) => (ways[index] ?? null) !== null;
}

/** Sessions keep their place in a sequence through a reload when the condition is the same as before. */
function digestOf(condition: unknown): string {
  return createHash('sha256').update(JSON.stringify(condition)).digest('base64url').slice(0, 16);
}

function around({ text, start, end }: Place): string {
  return text.slice(Math.max(0, start - AROUND_CHARS), end + AROUND_CHARS);
}
