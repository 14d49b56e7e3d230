const HOUR = 3600;
const DAY = 24 * HOUR;
/** What people may choose from; zero is one passport. */
const CHOICES = [0, HOUR, DAY, 7 * DAY, 30 * DAY];

/** The lifetimes that a person may choose from, in seconds: none longer than the setting, which is the last one. */
export function lifetimeChoices(longestSeconds: number): readonly number[] {
  return [...CHOICES.filter((seconds) => seconds < longestSeconds), longestSeconds];
}

/** What is chosen before the person has: a day, or what is nearest below. */
export function usualLifetime(longestSeconds: number): number {
  return Math.min(DAY, longestSeconds);
}
