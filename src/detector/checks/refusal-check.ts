import { type Check, NO_FINDINGS } from './check.ts';

/** A finding at this many refusals in a row, and at each doubling: an agent that feels along the fence. */
const FIRST_STEP = 8;

export const refusalCheck: Check = ({ session }) => {
  const { refusalsInRow } = session;
  if (refusalsInRow < FIRST_STEP || !isStep(refusalsInRow)) return NO_FINDINGS;
  return [
    {
      check: 'refusals.row',
      title: 'The agent keeps trying what it may not do',
      severity: 'medium',
      score: 0.35,
      evidence: `${refusalsInRow} calls of this session were refused one after another.`,
      references: ['OWASP-ASI:ASI03', 'OWASP-ASI:ASI10'],
    },
  ];
};

function isStep(count: number): boolean {
  const ratio = count / FIRST_STEP;
  return Number.isInteger(ratio) && (ratio & (ratio - 1)) === 0;
}
