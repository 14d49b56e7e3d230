/** Bytes from `start` up to, not including, `end`. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/**
 * Joins intervals that overlap; ones that only touch stay two (the same secret twice is two findings).
 * The result is sorted.
 */
export function joinOverlapping(intervals: readonly Interval[]): Interval[] {
  const sorted = [...intervals].sort((one, other) => one.start - other.start || other.end - one.end);
  const joined: Interval[] = [];
  for (const interval of sorted) {
    const last = joined[joined.length - 1];
    if (last !== undefined && interval.start < last.end) {
      joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, interval.end) };
    } else {
      joined.push(interval);
    }
  }
  return joined;
}
