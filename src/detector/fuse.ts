import type { Effect, Finding, Verdict } from '../core/index.ts';
import { effectOf, type Thresholds } from './profiles.ts';
import { combined } from './risk.ts';

/** Findings to one verdict. A decoy denies under every profile: nobody has a reason to send one. */
export function fuse(o: {
  readonly findings: readonly Finding[];
  readonly thresholds: Thresholds;
  /** How long a session that calls too fast has to wait; null: it does not. */
  readonly waitMs: number | null;
}): Verdict {
  const { findings, thresholds } = o;
  const score = combined(findings.map((finding) => finding.score));
  const decoy = findings.some((finding) => finding.decoy !== undefined);
  const effect: Effect = decoy ? 'deny' : effectOf(score, thresholds);
  if (effect === 'allow' && o.waitMs !== null && thresholds.throttles) {
    return { effect: 'hold', score, findings, retryAfterMs: o.waitMs, late: false };
  }
  return { effect, score, findings, retryAfterMs: null, late: false };
}
