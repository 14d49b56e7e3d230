import type { Finding } from '../../core/index.ts';
import type { Deviation, Measure, StrangeHour } from '../habits.ts';
import { type Check, NO_FINDINGS } from './check.ts';

/** Mild, all of them: work changes. They count beside what else is found. */
const SHOWN: Readonly<
  Record<
    Measure,
    { readonly check: string; readonly title: string; readonly score: number; readonly what: string }
  >
> = {
  calls: {
    check: 'habit.rate',
    title: 'The agent calls more often than it ever did',
    score: 0.15,
    what: 'calls',
  },
  bytesOut: {
    check: 'habit.volume',
    title: 'The agent sends more than it ever did',
    score: 0.2,
    what: 'bytes sent',
  },
  credentials: {
    check: 'habit.fan-out',
    title: 'The agent uses more credentials than it ever did',
    score: 0.2,
    what: 'credentials used',
  },
};
const STRANGE_HOUR_SCORE = 0.1;

/** What an agent does otherwise than it has done in all the hours that are remembered of it. */
export const habitCheck: Check = ({ habits }) => {
  if (habits === null) return NO_FINDINGS;
  const findings = habits.deviations().map(deviates);
  const strange = habits.strangeHour();
  return strange === null ? findings : [...findings, strangeHour(strange)];
};

function deviates({ measure, value, median, limit, hours, since }: Deviation): Finding {
  const { check, title, score, what } = SHOWN[measure];
  return {
    check,
    title,
    severity: 'low',
    score,
    evidence: `${value} ${what} in this hour; the median of its ${hours} active hours since ${new Date(since).toISOString()} is ${round(median)}, and more than ${round(limit)} is beyond chance.`,
    references: ['OWASP-ASI:ASI08', 'OWASP-ASI:ASI10'],
  };
}

function strangeHour({ hour, days, usual }: StrangeHour): Finding {
  return {
    check: 'habit.hour',
    title: 'The agent works at an hour at which it never did',
    severity: 'low',
    score: STRANGE_HOUR_SCORE,
    evidence: `It is ${hour} o’clock UTC; on ${days} days it has worked at ${usual.join(', ')}.`,
    references: ['OWASP-ASI:ASI10'],
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
