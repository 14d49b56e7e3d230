export type { AgentDraft } from './agent-input.ts';
export type { Agents, AgentView, NewAgent, WithSecret } from './agents.ts';
export { sha256, signatureVerifier } from './crypto.ts';
export { KeyFileError } from './key-file.ts';
export { MemoryReplayStore } from './memory-replay.ts';
export { protectedResourceMetadata } from './metadata.ts';
export type { PassportRoomOptions, PassportStores, RateLimit } from './options.ts';
export type { RevocationRequest, Revocations } from './revocations.ts';
export type { PassportRoom } from './room.ts';
export { openPassportRoom } from './room.ts';
export type { PublishedKey } from './signing-keys.ts';
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
