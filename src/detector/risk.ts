import type { Finding } from '../core/index.ts';

/** Half of what a finding says of a session is gone after this time: one false alarm must not last a day. */
const HALF_LIFE_MS = 30 * 60 * 1000;
/** What leaves no doubt (a decoy) fades so slowly that a person has looked at it before. */
const CERTAIN_HALF_LIFE_MS = 24 * 60 * 60 * 1000;
const CERTAIN = 0.9;

/** More checks than this are not told apart in one session; the one that spoke first goes. */
const MAX_SHARES = 64;

/** What one check has said of a session. It counts once, however often the check repeats itself, and fades. */
export interface RiskShare {
  readonly score: number;
  readonly at: number;
}

/** The score as it stands `elapsedMs` later. */
export function decayed(score: number, elapsedMs: number): number {
  const halfLifeMs = score >= CERTAIN ? CERTAIN_HALF_LIFE_MS : HALF_LIFE_MS;
  return elapsedMs <= 0 ? score : score * 0.5 ** (elapsedMs / halfLifeMs);
}

/** The risk that the shares make together at `now`. */
export function riskAt(shares: ReadonlyMap<string, RiskShare>, now: number): number {
  return combined([...shares.values()].map(({ score, at }) => decayed(score, now - at)));
}

/** Takes a finding into the shares: a weaker one than what is left of the last changes nothing. */
export function share(shares: Map<string, RiskShare>, { check, score }: Finding, now: number): void {
  const known = shares.get(check);
  if (known !== undefined && decayed(known.score, now - known.at) > score) return;
  shares.delete(check);
  shares.set(check, { score, at: now });
  if (shares.size <= MAX_SHARES) return;
  for (const first of shares.keys()) {
    shares.delete(first);
    return;
  }
}

/** Scores that speak for the same thing independently of each other: 1 minus the chance that all are wrong. */
export function combined(scores: Iterable<number>): number {
  let innocent = 1;
  for (const score of scores) innocent *= 1 - Math.min(1, Math.max(0, score));
  return 1 - innocent;
}
