export { checkPolicies, testPolicies } from './check.ts';
export { approvalHeaders, decide, needsBody } from './decide.ts';
export { explain } from './explain.ts';
export type { ReloadResult } from './keeper.ts';
export { PolicyError, PolicyKeeper } from './keeper.ts';
export { formatFault } from './load.ts';
export type { Permit, PermitInput } from './permit.ts';
export { assertScope, permit } from './permit.ts';
