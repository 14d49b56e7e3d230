import { type Effect, type Finding, stricter, type Verdict } from '../core/index.ts';
import { effectOf, type Thresholds } from './profiles.ts';
import type { Responding } from './responses.ts';
import { combined } from './risk.ts';

/** When to come back after a check that came too late. */
const LATE_RETRY_MS = 1_000;

/** The risk of one call: its findings as independent evidence. */
export function scoreOf(findings: readonly Finding[]): number {
  return combined(findings.map((finding) => finding.score));
}

/** Findings to one verdict. A decoy denies under every profile: nobody has a reason to send one. */
export function fuse(o: {
  readonly findings: readonly Finding[];
  /** What the configured responses come to. */
  readonly responding: Responding;
  readonly thresholds: Thresholds;
  /** How long a session that calls too fast has to wait; 0: not at all. */
  readonly waitMs: number;
  /** The configured verdict when a check came too late; null: none did. */
  readonly onLate: Effect | null;
}): Verdict {
  const { findings, thresholds, onLate, responding } = o;
  const score = scoreOf(findings);
  const found = findings.some((finding) => finding.decoy !== undefined)
    ? 'deny'
    : stricter(effectOf(score, thresholds), responding.effect);
  const waitMs = Math.max(responding.waitMs, thresholds.throttles ? o.waitMs : 0);
  if (found === 'deny' && responding.contain.length > 0) {
    const { contain } = responding;
    return { effect: found, score, findings, retryAfterMs: null, late: onLate !== null, contain };
  }
  if (onLate !== null && found !== 'deny') {
    // At least what was configured; `allow` there means: as if the late check had said nothing.
    const effect = stricter(found, onLate);
    return { effect, score, findings, retryAfterMs: effect === 'allow' ? null : LATE_RETRY_MS, late: true };
  }
  if (found === 'allow' && waitMs > 0) {
    return { effect: 'hold', score, findings, retryAfterMs: waitMs, late: false };
  }
  return { effect: found, score, findings, retryAfterMs: null, late: onLate !== null };
}
