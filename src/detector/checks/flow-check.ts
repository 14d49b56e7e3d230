import type { Finding } from '../../core/index.ts';
import type { LabelSight } from '../labels/index.ts';
import { maskLongRuns } from '../mask.ts';
import { type Check, NO_FINDINGS } from './check.ts';

/** The way out is open and the call takes it to somebody whom the user never named: reason for care, not for a hold. */
const LEAK_SCORE = 0.3;
/** Something that can't be undone, of a kind that the user never asked for, after text that anybody may have written. */
const DESTROYS_SCORE = 0.2;
/** Without the user's word nobody knows whom he named. */
const UNKNOWN_WISH = 0.6;
const MAX_SHOWN = 3;

/** What a session has met, and what the call does with it. Labels say what is possible; provenance says what is done. */
export const flowCheck: Check = (input) => {
  const { labels, session, reads, following } = input;
  if (reads || labels.size === 0) return NO_FINDINGS;
  // Where provenance says who ordered it, that is the same evidence, and says more: it must not count twice.
  if (following.best !== null) return NO_FINDINGS;
  const untrusted = session.flows.first('untrusted-source');
  if (untrusted === null) return NO_FINDINGS;
  const secret = session.flows.first('private-data');
  if (labels.has('public-sink') && secret !== null) return leak(input, untrusted, secret);
  return labels.has('destructive') ? destroys(input, untrusted) : NO_FINDINGS;
};

function leak(
  { call, following, session }: Parameters<Check>[0],
  untrusted: LabelSight,
  secret: LabelSight,
): readonly Finding[] {
  const host = call.kind === 'http' ? call.origin.host : null;
  const strangers = following.strangers.filter((name) => host === null || !name.includes(host));
  const { known } = session.provenance.wish;
  // A service is where the agent was sent by whoever registered it; whom it writes to there is the question.
  if (strangers.length === 0) return NO_FINDINGS;
  const to = maskLongRuns(strangers.slice(0, MAX_SHOWN).join(', '));
  return [
    {
      check: 'flow.leak',
      title: 'Private data can leave by the hand of a stranger',
      severity: 'low',
      score: known ? LEAK_SCORE : LEAK_SCORE * UNKNOWN_WISH,
      evidence: `The session has read what anybody may have written (${shown(untrusted)}) and what is private (${shown(secret)}), and now writes to ${to}; ${known ? 'the user never named it' : 'whom the user named is not known in this session'}.`,
      references: ['OWASP-ASI:ASI01', 'OWASP-ASI:ASI02', 'ATLAS:AML.T0057'],
    },
  ];
}

function destroys({ following, session }: Parameters<Check>[0], untrusted: LabelSight): readonly Finding[] {
  const { known } = session.provenance.wish;
  if (following.asked) return NO_FINDINGS;
  return [
    {
      check: 'flow.destroys',
      title: 'What can not be undone, after text that anybody may have written',
      severity: 'low',
      score: known ? DESTROYS_SCORE : DESTROYS_SCORE * UNKNOWN_WISH,
      evidence: `The session has read ${shown(untrusted)}; ${known ? 'the user asked for nothing of this kind' : 'what the user asked for is not known in this session'}.`,
      references: ['OWASP-ASI:ASI02'],
    },
  ];
}

function shown({ what, callId }: LabelSight): string {
  return `${what}, ${callId}`;
}
