import type { Finding } from '../core/index.ts';
import type { GuardScores } from '../guard/index.ts';

export type GuardLabel = 'injection' | 'malicious_call';

interface Weight {
  readonly title: string;
  /** Probability from which the model is to be believed; its file advises it. */
  readonly threshold: number;
  /** What a probability at the threshold, and certainty, count as a finding. */
  readonly atThreshold: number;
  readonly atMost: number;
  readonly references: readonly string[];
}

const WEIGHTS: Readonly<Record<GuardLabel, Weight>> = {
  injection: {
    title: 'The guard model takes a result for an injection',
    threshold: 0.9,
    atThreshold: 0.7,
    atMost: 0.95,
    references: ['OWASP-ASI:ASI01', 'ATLAS:AML.T0051'],
  },
  // A small model that sees one call: reason for a second look, never alone for a no.
  malicious_call: {
    title: 'The guard model takes the call for one that nobody asked for',
    threshold: 0.9,
    atThreshold: 0.4,
    atMost: 0.6,
    references: ['OWASP-ASI:ASI02', 'ATLAS:AML.T0053'],
  },
};

/** Below this a score is not worth a word. */
const LEAST = 0.1;

/** What the guard's probability means for the verdict; null: nothing. A piecewise-linear, rising function of it. */
export function guardFinding(label: GuardLabel, scores: GuardScores, where: string): Finding | null {
  if (scores === 'absent' || scores === 'late') return null;
  const probability = scores.get(label);
  if (probability === undefined) return null;
  const { title, threshold, atThreshold, atMost, references } = WEIGHTS[label];
  const above = (probability - threshold) / (1 - threshold);
  const score =
    above < 0 ? (atThreshold * probability) / threshold : atThreshold + (atMost - atThreshold) * above;
  if (score < LEAST) return null;
  return {
    check: `guard.${label}`,
    title,
    severity: above >= 0 && label === 'injection' ? 'medium' : 'low',
    score,
    evidence: `${where}: probability ${probability.toFixed(3)}, believed from ${threshold} on.`,
    references,
  };
}
