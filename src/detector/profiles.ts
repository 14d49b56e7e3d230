import type { Effect } from '../core/index.ts';

export type Profile = 'observe' | 'balanced' | 'strict';

/** From which score of one call on it is held, and denied. Above 1: never. */
export interface Thresholds {
  readonly hold: number;
  readonly deny: number;
  /** Whether a session that calls too fast has to wait. */
  readonly throttles: boolean;
}

export const PROFILES: Readonly<Record<Profile, Thresholds>> = {
  observe: { hold: 2, deny: 2, throttles: false },
  balanced: { hold: 0.7, deny: 0.9, throttles: true },
  strict: { hold: 0.4, deny: 0.75, throttles: true },
};

/** The profile's thresholds, with those that an administrator has set instead. */
export function thresholdsOf(
  profile: Profile,
  set: { readonly holdFrom?: number | null; readonly denyFrom?: number | null },
): Thresholds {
  const { hold, deny, throttles } = PROFILES[profile];
  return { hold: set.holdFrom ?? hold, deny: set.denyFrom ?? deny, throttles };
}

export function effectOf(score: number, thresholds: Thresholds): Effect {
  if (score >= thresholds.deny) return 'deny';
  return score >= thresholds.hold ? 'hold' : 'allow';
}
