import type { Finding, Severity } from '../core/index.ts';

const RANK: Readonly<Record<Severity, number>> = { low: 0, medium: 1, high: 2, critical: 3 };

export function severityRank(severity: Severity): number {
  return RANK[severity];
}

/** The first of the most severe ones; null for none. */
export function gravest(findings: readonly Finding[]): Finding | null {
  return findings.reduce<Finding | null>(
    (worst, finding) => (worst === null || RANK[finding.severity] > RANK[worst.severity] ? finding : worst),
    null,
  );
}
