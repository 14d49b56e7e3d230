import { type Check, NO_FINDINGS } from './check.ts';

/** Enough to have a person look in the balanced profile: what nobody remembers may have ordered this call. */
const SCORE = 0.7;

/** The session has read orders that were dropped for want of memory, and now does more than look. */
export const forgottenCheck: Check = ({ session, reads }) => {
  if (session.lost?.orders !== true || reads) return NO_FINDINGS;
  return [
    {
      check: 'provenance.forgotten',
      title: 'What this session has read is no longer remembered',
      severity: 'medium',
      score: SCORE,
      evidence:
        'Results of this session ordered something, and were dropped when the sessions of its agent took too much memory.',
      references: ['OWASP-ASI:ASI06'],
    },
  ];
};
