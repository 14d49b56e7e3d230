import type { Effect } from './decision.ts';
import type { Finding } from './finding.ts';

/** The risk of a session as it stood before the call at hand. */
export interface SessionRisk {
  /** 0..1, decays with time. */
  readonly score: number;
  readonly findings: number;
  /** Milliseconds since the epoch of the last finding; null: none yet. */
  readonly lastFindingAt: number | null;
}

export const NO_RISK: SessionRisk = { score: 0, findings: 0, lastFindingAt: null };

/** The detector's answer for one call. It can only restrain: `allow` means "no objection". */
export interface Verdict {
  readonly effect: Effect;
  /** 0..1 for this call. */
  readonly score: number;
  readonly findings: readonly Finding[];
  /** A hold with a time: come back after so many milliseconds (throttle). */
  readonly retryAfterMs: number | null;
  /** True when the deadline passed before every check had answered (G9). */
  readonly late: boolean;
}
