import { type Check, NO_FINDINGS } from './check.ts';

/** So many refusals within some minutes are no slip: an agent that feels along the fence. */
const MANY = 8;
const VERY_MANY = 32;

export const refusalCheck: Check = ({ session, now }) => {
  const count = Math.floor(session.refusals.at(now));
  if (count < MANY) return NO_FINDINGS;
  return [
    {
      check: 'refusals.row',
      title: 'The agent keeps trying what it may not do',
      severity: 'medium',
      score: count < VERY_MANY ? 0.35 : 0.6,
      evidence: `${count} calls of this session were refused in the last minutes.`,
      references: ['OWASP-ASI:ASI03', 'OWASP-ASI:ASI10'],
    },
  ];
};
