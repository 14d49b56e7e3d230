/** Half of a session's risk is gone after this time without findings. */
const HALF_LIFE_MS = 30 * 60 * 1000;

/** The score as it stands `elapsedMs` later. */
export function decayed(score: number, elapsedMs: number): number {
  return elapsedMs <= 0 ? score : score * 0.5 ** (elapsedMs / HALF_LIFE_MS);
}

/** Scores that speak for the same thing independently of each other: 1 minus the chance that all are wrong. */
export function combined(scores: Iterable<number>): number {
  let innocent = 1;
  for (const score of scores) innocent *= 1 - Math.min(1, Math.max(0, score));
  return 1 - innocent;
}
