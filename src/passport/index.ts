export type { AgentView, WithSecret } from './agent-view.ts';
export { sha256, signatureVerifier } from './crypto.ts';
export { MemoryReplayStore } from './memory-replay.ts';
export { protectedResourceMetadata } from './metadata.ts';
export type { PassportRoomOptions } from './options.ts';
export type { Revocations } from './revocations.ts';
export type { PassportRoom } from './room.ts';
export { openPassportRoom } from './room.ts';
export type {
  AgentRecord,
  AgentStore,
  OidcRow,
  OidcStore,
  PassportRecord,
  PassportStore,
  ReplayStore,
  RevocationRecord,
  RevocationStore,
} from './store.ts';
export type { VerifiedPassport } from './verified-passport.ts';
export type { PassportVerifier } from './verifier.ts';
