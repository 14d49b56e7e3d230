import type { AdminTokenStore, IdempotencyStore } from '../../admin/index.ts';
import type { OutboxStore, SinkStore } from '../../alerts/index.ts';
import type { ApprovalStore } from '../../approvals/index.ts';
import type { BaselineStore, DecoyStore, RiskStore } from '../../detector/index.ts';
import type { ServiceStore } from '../../gateway/index.ts';
import type {
  AgentStore,
  BackchannelStore,
  CallCountStore,
  DeviceRequestStore,
  EnrolmentStore,
  IssueStore,
  OidcStore,
  PassportStore,
  PersonGrantStore,
  RatchetStore,
  ReplayStore,
  RevocationStore,
  StatusEntryStore,
} from '../../passport/index.ts';
import type { PeopleStore } from '../../people/index.ts';
import type { CredentialStore } from '../../vault/index.ts';
import type { ChangeFeed } from '../dialect/change.ts';
import type { Link } from '../link.ts';
import { adminTokenStore } from './admin-token-store.ts';
import { agentStore } from './agent-store.ts';
import { approvalStore } from './approval-store.ts';
import { backchannelStore } from './backchannel-store.ts';
import { baselineStore } from './baseline-store.ts';
import { callCountStore } from './call-count-store.ts';
import { credentialStore } from './credential-store.ts';
import { decoyStore } from './decoy-store.ts';
import { deviceRequestStore } from './device-request-store.ts';
import { enrolmentStore } from './enrolment-store.ts';
import { idempotencyStore } from './idempotency-store.ts';
import { issueStore } from './issue-store.ts';
import { oidcStore } from './oidc-store.ts';
import { outboxStore } from './outbox-store.ts';
import { passportStore } from './passport-store.ts';
import { peopleStore } from './people-store.ts';
import { personGrantStore } from './person-grant-store.ts';
import { ratchetStore } from './ratchet-store.ts';
import { replayStore } from './replay-store.ts';
import { revocationStore } from './revocation-store.ts';
import { riskStore } from './risk-store.ts';
import { serviceStore } from './service-store.ts';
import { sinkStore } from './sink-store.ts';
import { statusEntryStore } from './status-entry-store.ts';

/** Everything that the rooms keep. */
export interface Stores {
  readonly agents: AgentStore;
  readonly passports: PassportStore;
  readonly issues: IssueStore;
  readonly revocations: RevocationStore;
  readonly oidc: OidcStore;
  readonly replay: ReplayStore;
  readonly callCounts: CallCountStore;
  readonly statusEntries: StatusEntryStore;
  readonly enrolment: EnrolmentStore;
  readonly ratchets: RatchetStore;
  readonly people: PeopleStore;
  readonly personGrants: PersonGrantStore;
  readonly deviceRequests: DeviceRequestStore;
  readonly credentials: CredentialStore;
  readonly approvals: ApprovalStore;
  readonly backchannel: BackchannelStore;
  readonly sinks: SinkStore;
  readonly outbox: OutboxStore;
  readonly decoys: DecoyStore;
  readonly baselines: BaselineStore;
  readonly risks: RiskStore;
  readonly services: ServiceStore;
  readonly adminTokens: AdminTokenStore;
  readonly idempotency: IdempotencyStore;
}

/** The stores on the whole database, or on one transaction. */
export function makeStores(link: Link, feed: ChangeFeed): Stores {
  return {
    agents: agentStore(link),
    passports: passportStore(link),
    issues: issueStore(link),
    revocations: revocationStore(link, feed),
    oidc: oidcStore(link),
    replay: replayStore(link),
    callCounts: callCountStore(link),
    statusEntries: statusEntryStore(link),
    enrolment: enrolmentStore(link),
    ratchets: ratchetStore(link),
    people: peopleStore(link),
    personGrants: personGrantStore(link),
    deviceRequests: deviceRequestStore(link),
    credentials: credentialStore(link, feed),
    approvals: approvalStore(link),
    backchannel: backchannelStore(link),
    sinks: sinkStore(link),
    outbox: outboxStore(link),
    decoys: decoyStore(link),
    baselines: baselineStore(link),
    risks: riskStore(link),
    services: serviceStore(link, feed),
    adminTokens: adminTokenStore(link),
    idempotency: idempotencyStore(link),
  };
}
