import { type Finding, LIMITS } from '../../core/index.ts';
import { maskLongRuns } from '../mask.ts';
import type { View } from '../view.ts';
import type { CompiledRule } from './compile.ts';

/** Findings of all rules that match. */
export function matchRules(rules: readonly CompiledRule[], view: View): readonly Finding[] {
  const findings: Finding[] = [];
  for (const compiled of rules) {
    if (compiled.rule.on === view.on && compiled.matches(view.fields))
      findings.push(toFinding(compiled, view));
  }
  return findings;
}

function toFinding({ rule, shown }: CompiledRule, view: View): Finding {
  return {
    check: `rule.${rule.id}`,
    title: rule.title,
    severity: rule.severity,
    score: rule.score,
    evidence: maskLongRuns(shown(view.fields) ?? rule.title).slice(0, LIMITS.evidenceChars),
    references: rule.references,
  };
}
