export { Bait, type BaitSettings, NO_BAIT } from './bait.ts';
export type { DecoySet } from './decoy-set.ts';
export { Decoys } from './decoys.ts';
export { decoyFinding } from './finding.ts';
export { type OutboundScanner, scanOutbound } from './outbound-scanner.ts';
