export { absentGuard } from './absent.ts';
export type { Guard, GuardScores, GuardSegment, GuardStatus } from './guard.ts';
export { type OpenGuard, openGuard, whyNoEngine } from './open-guard.ts';
export { showGuardStatus } from './show-status.ts';
export type { GuardCounts } from './supervised.ts';
