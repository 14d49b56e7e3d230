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

/** What is to happen beyond the call at hand. The detector asks for it; the gateway does it. */
export type Containment =
  | 'quarantine-agent'
  | 'quarantine-user'
  | 'revoke-key'
  /** The passport, and every one that was made from it. */
  | 'revoke-passport'
  | 'revoke-session';

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
  /** Only with `deny`. Absent: nothing. */
  readonly contain?: readonly Containment[];
}
