import { type Finding, LIMITS, type Subject } from '../../core/index.ts';
import { maskLongRuns } from '../mask.ts';
import type { CompiledRule } from './compile.ts';
import type { RuleEvent } from './event.ts';
import { Prefilter } from './prefilter.ts';
import type { Suppression } from './rule.ts';
import type { RuleState, Seen } from './state.ts';
import { suppressionsOf } from './suppressions.ts';

/** One event of a session, and whose it is. */
export interface Occasion {
  readonly event: RuleEvent;
  readonly state: RuleState;
  readonly agentId: Subject['agentId'];
  /** The service or the tool that it is about. */
  readonly service: string;
  readonly callId: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Findings of one event; more rules than that say nothing more. */
const MAX_FINDINGS = 32;
const MAX_ID_CHARS = 64;

/** A text that is made to be expensive is a finding itself. */
const EXHAUSTED: Finding = {
  check: 'rules.exhausted',
  title: 'A text takes the rules too long to read',
  severity: 'medium',
  score: 0.4,
  evidence:
    'Some rules were not asked: the text was made, or happens, to be as expensive for them as can be.',
  references: ['OWASP-ASI:ASI08'],
};

/** The rules in force. Immutable: a reload makes another one. */
export class RuleSet {
  readonly rules: readonly CompiledRule[];
  readonly suppressions: readonly Suppression[];
  readonly #suppressed: ReturnType<typeof suppressionsOf>;
  readonly #prefilter: Prefilter;
  /** Numbers of the rules that each literal is a trigger of, and of those that look at every event. */
  readonly #triggered: readonly number[][];
  readonly #always: number[] = [];

  constructor(rules: readonly CompiledRule[], suppressions: readonly Suppression[] = []) {
    this.rules = rules;
    this.suppressions = suppressions;
    this.#suppressed = suppressionsOf(suppressions);
    const leaves = rules.flatMap((one) => one.leaves);
    this.#prefilter = new Prefilter(leaves);
    for (const leaf of leaves) leaf.filterBy((literals) => this.#prefilter.idsOf(literals));
    this.#triggered = Array.from({ length: this.#prefilter.size }, () => []);
    for (const [number, { trigger }] of rules.entries()) {
      if (trigger === null) this.#always.push(number);
      for (const literal of trigger ?? []) this.#triggered[this.#prefilter.idOf(literal)]?.push(number);
    }
  }

  get size(): number {
    return this.rules.length;
  }

  /** Findings of all rules that match. To be asked once for each event: it moves the session's state on. */
  match({ event, state, agentId, service, callId, now }: Occasion): readonly Finding[] {
    state.step(event.on);
    const seen: Seen = {
      at: now,
      calls: state.calls,
      on: event.on,
      callId: callId.slice(0, MAX_ID_CHARS),
      what: service.slice(0, MAX_ID_CHARS),
    };
    const findings: Finding[] = [];
    for (const compiled of this.#candidates(event)) {
      const way = compiled.look(event, state, seen);
      if (way === null || findings.length >= MAX_FINDINGS) continue;
      if (this.#suppressed({ rule: compiled.rule.id, agentId, service, now })) continue;
      findings.push(toFinding(compiled, event, way));
    }
    if (event.budget.exhausted) findings.push(EXHAUSTED);
    return findings;
  }

  /** The rules that may have something to say, in their order: those whose literals stand in the event. */
  #candidates(event: RuleEvent): readonly CompiledRule[] {
    const numbers = new Set(this.#always);
    for (const id of this.#prefilter.scan(event)) {
      for (const number of this.#triggered[id] ?? []) numbers.add(number);
    }
    return [...numbers].sort((a, b) => a - b).flatMap((number) => this.rules[number] ?? []);
  }
}

function toFinding({ rule, shown }: CompiledRule, event: RuleEvent, way: readonly Seen[]): Finding {
  const before = way
    .slice(0, -1)
    .map(({ what, callId }) => `${what} (${callId})`)
    .join(', then ');
  const text = shown(event) ?? rule.title;
  const evidence = before === '' ? text : `After ${before}: ${text}`;
  return {
    check: `rule.${rule.id}`,
    title: rule.title,
    severity: rule.severity,
    score: rule.score,
    evidence: maskLongRuns(evidence).slice(0, LIMITS.evidenceChars),
    references: rule.references,
  };
}
