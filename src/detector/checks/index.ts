import type { Check } from './check.ts';
import { decoyCheck } from './decoy-check.ts';
import { destinationCheck } from './destination-check.ts';
import { flowCheck } from './flow-check.ts';
import { forgottenCheck } from './forgotten-check.ts';
import { guardCheck } from './guard-check.ts';
import { habitCheck } from './habit-check.ts';
import { provenanceCheck } from './provenance-check.ts';
import { rateCheck } from './rate-check.ts';
import { refusalCheck } from './refusal-check.ts';
import { ruleCheck } from './rule-check.ts';

export type { Check } from './check.ts';

/** Every check, the cheap ones first. */
export const CHECKS: readonly Check[] = [
  rateCheck,
  refusalCheck,
  destinationCheck,
  habitCheck,
  decoyCheck,
  provenanceCheck,
  forgottenCheck,
  flowCheck,
  guardCheck,
  ruleCheck,
];
