/** The time source that is passed in wherever a decision depends on time, so that decisions stay pure. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Seconds since the Unix epoch, as JWT's NumericDate (RFC 7519 section 2) counts. */
export function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
