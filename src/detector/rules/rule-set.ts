import { type Finding, LIMITS, type Subject } from '../../core/index.ts';
import { maskLongRuns } from '../mask.ts';
import type { CompiledRule } from './compile.ts';
import type { RuleEvent } from './event.ts';
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

/** The rules in force. Immutable: a reload makes another one. */
export class RuleSet {
  readonly rules: readonly CompiledRule[];
  readonly suppressions: readonly Suppression[];
  readonly #suppressed: ReturnType<typeof suppressionsOf>;

  constructor(rules: readonly CompiledRule[], suppressions: readonly Suppression[] = []) {
    this.rules = rules;
    this.suppressions = suppressions;
    this.#suppressed = suppressionsOf(suppressions);
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
    for (const compiled of this.rules) {
      const way = compiled.look(event, state, seen);
      if (way === null || findings.length >= MAX_FINDINGS) continue;
      if (this.#suppressed({ rule: compiled.rule.id, agentId, service, now })) continue;
      findings.push(toFinding(compiled, event, way));
    }
    return findings;
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
