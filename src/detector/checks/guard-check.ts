import { guardFinding } from '../guard-finding.ts';
import { type Check, NO_FINDINGS } from './check.ts';
import { commandedScore } from './provenance-check.ts';

/** From here on provenance alone holds the call; a model that sees the same order is no second proof of it. */
const SURE = 0.7;
/** What part of a result's alarm goes over to a call that takes something from that result. */
const HANDED_ON = 0.6;

/** What the guard model says of the call, and of the result that the call takes something from. */
export const guardCheck: Check = (input) => {
  const { guard, following, session } = input;
  if (commandedScore(input) >= SURE) return NO_FINDINGS;
  const said = guardFinding('malicious_call', guard, 'This call');
  const findings = said === null ? [] : [said];
  const { best } = following;
  const alarm = best === null ? undefined : session.guard.alarms.get(best.command.callId);
  if (best === null || alarm === undefined) return findings;
  return [
    ...findings,
    {
      check: 'guard.followed',
      title: 'The call follows a result that the guard model takes for an injection',
      severity: 'medium',
      score: HANDED_ON * alarm.score,
      evidence: `${best.command.tool.slice(0, 64)} (${best.command.callId.slice(0, 64)}) was given ${alarm.score.toFixed(2)}.`,
      references: ['OWASP-ASI:ASI01', 'ATLAS:AML.T0051'],
    },
  ];
};
