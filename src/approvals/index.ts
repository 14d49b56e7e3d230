export type { ApprovalsOptions } from './approvals.ts';
export { Approvals } from './approvals.ts';
export type { ApprovalBinding, HttpBinding, ToolBinding } from './digest.ts';
export { approvalDigest } from './digest.ts';
export type { ApprovalRecord, ApprovalStatus, ApprovalStore } from './store.ts';
export type { UsedApproval } from './used-approval.ts';
