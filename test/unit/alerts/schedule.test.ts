import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextAttemptAt } from '../../../src/alerts/schedule.ts';

const base = { raisedAt: 0, now: 0, retryAfterMs: null, random: 0 };
const hour = 3_600_000;

test('pauses grow threefold from five seconds to an hour', () => {
  const pauses = Array.from({ length: 9 }, (_, index) => nextAttemptAt({ ...base, attempts: index + 1 }));
  expect(pauses).toEqual([5, 15, 45, 135, 405, 1215, 3600, 3600, 3600].map((seconds) => seconds * 1000));
});

test('jitter only adds, a quarter at most', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 29 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (attempts, random) => {
        const least = nextAttemptAt({ ...base, attempts }) ?? Number.NaN;
        const pause = nextAttemptAt({ ...base, attempts, random }) ?? Number.NaN;
        expect(pause).toBeGreaterThanOrEqual(least);
        expect(pause).toBeLessThanOrEqual(Math.ceil(least * 1.25));
      },
    ),
  );
});

test('a receiver that asks for a later time gets it, up to a day; an earlier one changes nothing', () => {
  expect(nextAttemptAt({ ...base, attempts: 1, retryAfterMs: 2 * hour })).toBe(2 * hour);
  expect(nextAttemptAt({ ...base, attempts: 1, retryAfterMs: 100 * 24 * hour })).toBe(24 * hour);
  expect(nextAttemptAt({ ...base, attempts: 1, retryAfterMs: 1 })).toBe(5000);
  expect(nextAttemptAt({ ...base, attempts: 1, retryAfterMs: -5 })).toBe(5000);
});

test('the thirtieth failure is the last, about a day after the first', () => {
  let at = 0;
  for (let attempts = 1; attempts < 30; attempts++) {
    at = nextAttemptAt({ ...base, attempts, now: at }) ?? Number.NaN;
  }
  expect(at / hour).toBeGreaterThan(23);
  expect(at / hour).toBeLessThan(25);
  expect(nextAttemptAt({ ...base, attempts: 30, now: at })).toBeNull();
});

test('there is no attempt later than three days after the alert', () => {
  expect(nextAttemptAt({ ...base, attempts: 3, now: 71 * hour, retryAfterMs: 2 * hour })).toBeNull();
});
