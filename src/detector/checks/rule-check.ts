import type { Check } from './check.ts';

/** The rules of policies/detection/ that speak about calls; they were asked before, because they keep a state. */
export const ruleCheck: Check = ({ ruleFindings }) => ruleFindings;
