export { Approvals, type Approver } from './approvals.ts';
export type { ApprovalBinding, HttpBinding, PassportBinding } from './digest.ts';
export { approvalDigest } from './digest.ts';
export type { ApprovalRecord, ApprovalStore, ApprovalsOf } from './store.ts';
export type { UsedApproval } from './used-approval.ts';
