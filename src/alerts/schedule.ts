/** First pause, the factor by which pauses grow, and the longest one. */
const FIRST_MS = 5_000;
const FACTOR = 3;
const LONGEST_MS = 60 * 60 * 1000;
/** With these pauses about 24 hours. */
const MAX_ATTEMPTS = 30;
/** No new attempt so long after the alert, however long a receiver asks us to wait. */
const MAX_AGE_MS = 72 * 60 * 60 * 1000;
/** Longest Retry-After that is respected. */
const LONGEST_RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

/** No attempt is ever put off further than this: what is, was put off by a clock that ran ahead. */
export const LONGEST_PAUSE_MS = LONGEST_RETRY_AFTER_MS * 1.25;

export interface Failure {
  /** Attempts so far, this one included. */
  readonly attempts: number;
  readonly raisedAt: number;
  readonly now: number;
  /** What the receiver asked for, if it did. */
  readonly retryAfterMs: number | null;
  /** 0..1: spreads the attempts of many gates and alerts. */
  readonly random: number;
}

/** When to try again after a failure (milliseconds since the epoch); null: give up. */
export function nextAttemptAt(failure: Failure): number | null {
  if (failure.attempts >= MAX_ATTEMPTS) return null;
  const grown = Math.min(FIRST_MS * FACTOR ** (failure.attempts - 1), LONGEST_MS);
  const asked = Math.min(Math.max(failure.retryAfterMs ?? 0, 0), LONGEST_RETRY_AFTER_MS);
  // Jitter is only ever added: a receiver that asks for a time gets at least that time.
  const at = Math.ceil(failure.now + Math.max(grown, asked) * (1 + failure.random / 4));
  return at - failure.raisedAt > MAX_AGE_MS ? null : at;
}
