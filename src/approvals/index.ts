export { Approvals } from './approvals.ts';
export type { ApprovalBinding, HttpBinding } from './digest.ts';
export { approvalDigest } from './digest.ts';
export type { ApprovalRecord, ApprovalStore, ApprovalsOf } from './store.ts';
export type { UsedApproval } from './used-approval.ts';
