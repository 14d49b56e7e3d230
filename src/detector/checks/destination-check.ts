import { type Check, NO_FINDINGS } from './check.ts';

/** Before an agent has used so many destinations, each new one is how agents begin, not news. */
const WARM_UP_DESTINATIONS = 5;
/** Nor is it news within the first day. */
const WARM_UP_MS = 24 * 60 * 60 * 1000;

/** A destination that this agent has never used, once it has habits. Mild: it counts beside other findings. */
export const destinationCheck: Check = ({ destinations, view, now }) => {
  if (destinations === null) return NO_FINDINGS;
  if (destinations.has(view.destination) || destinations.size < WARM_UP_DESTINATIONS) return NO_FINDINGS;
  const firstUse = Math.min(...destinations.values());
  if (now - firstUse < WARM_UP_MS) return NO_FINDINGS;
  return [
    {
      check: 'destination.new',
      title: 'The agent goes somewhere new',
      severity: 'low',
      score: 0.15,
      evidence: `${view.destination} is none of the ${destinations.size} destinations that the agent has used since ${new Date(firstUse).toISOString()}.`,
      references: ['OWASP-ASI:ASI02'],
    },
  ];
};
