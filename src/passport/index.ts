export { INSTRUCT_SCOPE } from './agent-input.ts';
export type { AgentView, NewAgent, WithSecret } from './agent-view.ts';
export type { BackchannelRecord, BackchannelStore } from './backchannel/store.ts';
export type { CountedCall } from './call-counter.ts';
export { checkPassportKeys } from './check-keys.ts';
export { clientCertificate } from './client-certificate.ts';
export { sha256, signatureVerifier } from './crypto.ts';
export type { DelegationRequest } from './delegation-policy.ts';
export type { EnrolmentStore, InitialTokenRecord, RegistrationRecord } from './enrol/store.ts';
export { MemoryReplayStore } from './memory-replay.ts';
export { protectedResourceMetadata } from './metadata.ts';
export type { PassportRoomOptions } from './options.ts';
export type { PersonGrantView } from './person-grants/person-grants.ts';
export type {
  DeviceRequestRecord,
  DeviceRequestStore,
  PersonGrantRecord,
  PersonGrantStore,
} from './person-grants/store.ts';
export type { RatchetState, RatchetStore } from './ratchet/store.ts';
export type { Revocations } from './revocations.ts';
export type { PassportRoom } from './room.ts';
export { openPassportRoom } from './room.ts';
export type {
  AgentRecord,
  AgentStore,
  CallCountStore,
  Issue,
  IssueOutcome,
  IssueStore,
  OidcRow,
  OidcStore,
  PassportRecord,
  PassportStore,
  ReplayStore,
  RevocationRecord,
  RevocationStore,
  StatusEntryStore,
} from './store.ts';
export type { VerifiedPassport } from './verified-passport.ts';
export type { PassportVerifier } from './verifier.ts';
