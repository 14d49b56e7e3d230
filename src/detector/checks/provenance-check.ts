import { maskLongRuns } from '../mask.ts';
import { type Check, type CheckInput, NO_FINDINGS } from './check.ts';

/** Where the user's word is not known, a result may well have said what the user wanted. */
const UNKNOWN_WISH = 0.6;
/** Less so where it is known at least what the agent is for. */
const KNOWN_PURPOSE = 0.8;
const MAX_SHOWN = 4;

/** How sure it is that a result ordered the call; 0: nothing says so. */
export function commandedScore({ following, session }: Pick<CheckInput, 'following' | 'session'>): number {
  const score = following.best?.score ?? 0;
  const { known, purpose } = session.provenance.wish;
  return known ? score : score * (purpose ? KNOWN_PURPOSE : UNKNOWN_WISH);
}

/** The call does what a result ordered, with names that nobody but that result gave. */
export const provenanceCheck: Check = ({ following, session }) => {
  const { best } = following;
  if (best === null) return NO_FINDINGS;
  const { command, shared } = best;
  const { known, purpose } = session.provenance.wish;
  const score = commandedScore({ following, session });
  const names = shared.slice(0, MAX_SHOWN).join(', ');
  const what = names === '' ? 'It does just that' : `It takes up ${names}`;
  const unknown = 'what the user asked for is not known in this session';
  const stranger = purpose ? `${unknown}, and what the agent is registered for does not name it` : unknown;
  const who = known ? 'the user never asked for it' : stranger;
  return [
    {
      check: 'provenance.commanded',
      title: 'The call does what a result ordered',
      severity: score >= 0.7 ? 'high' : 'medium',
      score,
      evidence: `${command.tool.slice(0, 64)} (${command.callId.slice(0, 64)}) said: “${maskLongRuns(command.text.slice(0, 200))}” ${maskLongRuns(what)}; ${who}.`,
      references: ['OWASP-ASI:ASI01', 'OWASP-ASI:ASI02', 'ATLAS:AML.T0051'],
    },
  ];
};
