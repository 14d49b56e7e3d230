import { type Check, NO_FINDINGS } from './check.ts';

/** Calls faster than the session may call. The wait itself is a throttle (see detector.ts), not a matter of risk. */
export const rateCheck: Check = ({ tooFast, session, call }) => {
  if (!tooFast) return NO_FINDINGS;
  return [
    {
      check: 'rate.burst',
      title: 'The session calls faster than it may',
      severity: 'low',
      score: 0.05,
      evidence: `${session.calls} calls so far in this session; this one, ${call.id}, has to wait.`,
      references: ['OWASP-ASI:ASI08'],
    },
  ];
};
