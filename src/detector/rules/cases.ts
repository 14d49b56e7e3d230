import type { JsonValue } from '../../core/index.ts';
import { textOf } from '../view.ts';
import type { CompiledRule } from './compile.ts';
import { RuleEvent } from './event.ts';
import type { Case, Sample } from './rule.ts';
import { RuleState } from './state.ts';

/** What one embedded case gave. */
export interface CaseResult {
  readonly rule: string;
  readonly kind: 'match' | 'pass';
  /** Counted from 1. */
  readonly number: number;
  readonly passed: boolean;
}

/** Puts the embedded cases of a rule to it. */
export function runCases(compiled: CompiledRule): readonly CaseResult[] {
  const { id, cases } = compiled.rule;
  return (['match', 'pass'] as const).flatMap((kind) =>
    cases[kind].map((one, index) => ({
      rule: id,
      kind,
      number: index + 1,
      passed: matches(compiled, one) === (kind === 'match'),
    })),
  );
}

/** A session of its own for each case; what counts is its last event. */
function matches(compiled: CompiledRule, events: Case): boolean {
  const state = new RuleState();
  let at = 0;
  let matched = false;
  let number = 0;
  for (const sample of events) {
    for (let time = 0; time < sample.times; time += 1) {
      at += sample.afterMs;
      number += 1;
      state.step(sample.on);
      const seen = { at, calls: state.calls, on: sample.on, callId: `c${number}`, what: 'case' };
      matched = compiled.look(toEvent(sample), state, seen) !== null;
    }
  }
  return matched;
}

function toEvent({ on, fields }: Sample): RuleEvent {
  const texts = new Map<string, string>();
  for (const [name, value] of fields)
    texts.set(name, typeof value === 'string' ? value : written(name, value));
  if (on === 'call' && !texts.has('text')) {
    const text = texts.get('args') ?? [texts.get('query'), texts.get('body')].filter(Boolean).join('\n');
    texts.set('text', text);
  }
  const args = fields.get('args');
  return new RuleEvent(on, texts, isJson(args) ? args : undefined);
}

/** JSON in a case is what the call would carry: arguments as their strings, a body as it is sent. */
function written(name: string, value: unknown): string {
  return name === 'args' && isJson(value) ? textOf(value) : JSON.stringify(value);
}

/** The format has checked it. */
function isJson(value: unknown): value is JsonValue {
  return typeof value === 'object' && value !== null;
}
