import {
  approvalHeaders,
  assertScope,
  coveringDetails,
  decide,
  needsBody,
  type PolicyKeeper,
  permit,
} from '../policy/index.ts';
import type { PolicyGate } from './line.ts';

/** The policies that are in force at each moment, as the line asks them. */
export function policyGate(keeper: Pick<PolicyKeeper, 'current'>): PolicyGate {
  return {
    get generation() {
      return keeper.current().generation;
    },
    decide: (passport, call, risk, now) => decide(keeper.current(), passport, call, risk, now),
    permit,
    assertScope,
    coveringDetails,
    needsBody: (passport, call) => needsBody(keeper.current(), passport, call),
    approvalHeaders: (decision) => approvalHeaders(keeper.current(), decision),
  };
}
