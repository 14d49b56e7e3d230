import { RE2JS } from 're2js';
import type { Condition, Leaf, Rule } from './rule-schema.ts';

type Fields = ReadonlyMap<string, string>;
export type Test = (fields: Fields) => boolean;

/** A rule as it runs. */
export interface CompiledRule {
  readonly rule: Rule;
  readonly matches: Test;
  /** The field and text that evidence is taken from, when there is one. */
  readonly shown: (fields: Fields) => string | null;
}

/** Throws Error with a sentence when the rule can't run, or when one of its own cases says otherwise. */
export function compileRule(rule: Rule): CompiledRule {
  const matches = compileCondition(rule.match);
  const compiled = { rule, matches, shown: shownBy(rule.match) };
  for (const [expected, samples] of [
    [true, rule.cases.match],
    [false, rule.cases.pass],
  ] as const) {
    for (const [index, sample] of samples.entries()) {
      if (matches(new Map(Object.entries(sample))) === expected) continue;
      throw new Error(
        `case ${index + 1} of cases.${expected ? 'match' : 'pass'} ${expected ? 'does not match' : 'matches'}`,
      );
    }
  }
  return compiled;
}

function compileCondition(condition: Condition): Test {
  if ('all' in condition) {
    const tests = condition.all.map(compileCondition);
    return (fields) => tests.every((test) => test(fields));
  }
  if ('any' in condition) {
    const tests = condition.any.map(compileCondition);
    return (fields) => tests.some((test) => test(fields));
  }
  if ('not' in condition) {
    const test = compileCondition(condition.not);
    return (fields) => !test(fields);
  }
  const test = compileLeaf(condition);
  return (fields) => {
    const value = fields.get(condition.field);
    return value !== undefined && test(value);
  };
}

function compileLeaf(leaf: Leaf): (value: string) => boolean {
  if (leaf.equals !== undefined) {
    const { equals } = leaf;
    return (value) => value === equals;
  }
  if (leaf.oneOf !== undefined) {
    const known = new Set(leaf.oneOf);
    return (value) => known.has(value);
  }
  if (leaf.contains !== undefined) {
    const wanted = leaf.contains.toLowerCase();
    return (value) => value.toLowerCase().includes(wanted);
  }
  // RE2: linear in the text whatever the expression, so that no rule file can stall the gate.
  const expression = RE2JS.compile(leaf.regex ?? '', RE2JS.CASE_INSENSITIVE);
  const words = (leaf.words ?? []).map((word) => word.toLowerCase());
  return (value) => {
    const lower = value.toLowerCase();
    return words.some((word) => lower.includes(word)) && expression.matcher(value).find();
  };
}

const AROUND_CHARS = 40;

/** A piece of the text around what the rule's first expression or word matched. */
function shownBy(condition: Condition): (fields: Fields) => string | null {
  const leaves = leavesOf(condition);
  return (fields) => {
    for (const leaf of leaves) {
      const value = fields.get(leaf.field);
      const place = value === undefined ? null : placeOf(leaf, value);
      if (value === undefined || place === null) continue;
      const [start, end] = place;
      return `${leaf.field}: ${value.slice(Math.max(0, start - AROUND_CHARS), end + AROUND_CHARS)}`;
    }
    return null;
  };
}

function leavesOf(condition: Condition): readonly Leaf[] {
  if ('all' in condition) return condition.all.flatMap(leavesOf);
  if ('any' in condition) return condition.any.flatMap(leavesOf);
  return 'not' in condition ? [] : [condition];
}

function placeOf(leaf: Leaf, value: string): readonly [start: number, end: number] | null {
  if (leaf.regex !== undefined) {
    const matcher = RE2JS.compile(leaf.regex, RE2JS.CASE_INSENSITIVE).matcher(value);
    return matcher.find() ? [matcher.start(), matcher.end()] : null;
  }
  if (leaf.contains !== undefined) {
    const start = value.toLowerCase().indexOf(leaf.contains.toLowerCase());
    return start < 0 ? null : [start, start + leaf.contains.length];
  }
  const whole = leaf.equals === value || leaf.oneOf?.includes(value) === true;
  return whole ? [0, value.length] : null;
}
