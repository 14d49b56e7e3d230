import { matchRules } from '../rules/match.ts';
import type { Check } from './check.ts';

/** The rules of policies/detection/ that speak about calls. */
export const ruleCheck: Check = ({ rules, view }) => matchRules(rules, view);
