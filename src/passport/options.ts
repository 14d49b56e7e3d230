import type { ApprovalStore } from '../approvals/index.ts';
import type { AuditEvent, AuditEventOf, Clock, RateLimit, SessionRisk, UnitOfWork } from '../core/index.ts';
import type { BackchannelOptions } from './backchannel/backchannel.ts';
import type { BackchannelStore } from './backchannel/store.ts';
import type { DocumentRule, FetchDocument } from './client-documents/document-rule.ts';
import type { ConsentOptions } from './consent/consent.ts';
import type { DelegationPolicy } from './delegation-policy.ts';
import type { EnrolmentStore } from './enrol/store.ts';
import type { DeviceRequestStore, PersonGrantStore } from './person-grants/store.ts';
import type { RatchetStore } from './ratchet/store.ts';
import type {
  AgentRecord,
  AgentStore,
  CallCountStore,
  IssueStore,
  OidcStore,
  PassportStore,
  ReplayStore,
  RevocationStore,
  StatusEntryStore,
} from './store.ts';
import type { WorkloadTrust } from './workloads/trust-rules.ts';

/** The stores that change together. */
export interface PassportStores {
  readonly agents: AgentStore;
  readonly passports: PassportStore;
  readonly issues: IssueStore;
  readonly revocations: RevocationStore;
  readonly oidc: OidcStore;
  readonly callCounts: CallCountStore;
  readonly statusEntries: StatusEntryStore;
  readonly enrolment: EnrolmentStore;
  readonly ratchets: RatchetStore;
  /** What a revocation takes with it. */
  readonly approvals: ApprovalStore;
  readonly backchannel: BackchannelStore;
  readonly personGrants: PersonGrantStore;
  readonly deviceRequests: DeviceRequestStore;
}

/** What an authenticated agent asks for, and in which session where it exchanges a passport. */
export type ScopesAsked = (o: {
  readonly agent: AgentRecord;
  readonly sid: string | null;
  readonly scopes: readonly string[];
}) => Promise<void>;

export interface PassportRoomOptions {
  readonly tenant?: string;
  /** The origin under which clients reach the control plane: the `iss` of passports. */
  readonly issuer: string;
  /** The origin under which agents reach the gateway: the `aud` of passports. */
  readonly audience: string;
  /** Other resource servers that passports may be for: they check them by themselves (docs/reference/passport.md). */
  readonly resources?: readonly string[];
  /** Where signing keys and the pepper are, or are made at first start. */
  readonly keysDirectory: string;
  readonly stores: PassportStores & { readonly replay: ReplayStore };
  readonly unitOfWork: UnitOfWork<PassportStores>;
  /** Asked for every proof: MemoryReplayStore for one node; the shared store for several. */
  readonly replay: ReplayStore;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  /** Refusals, which anybody can cause; default: recorded like all else. */
  readonly recordRefused?: (event: AuditEventOf<'passport.refused'>) => Promise<unknown>;
  readonly passportLifetimeSeconds?: number;
  /** Platforms whose tokens stand for agents (RFC 7523). */
  readonly workloads?: readonly WorkloadTrust[];
  /** Clients that come aboard by a document about them, and how such documents are read. */
  readonly clientDocuments?: { readonly rules: readonly DocumentRule[]; readonly fetch: FetchDocument };
  /** How agents ask people elsewhere (OpenID CIBA); default: they can't. */
  readonly backchannel?: BackchannelOptions;
  /** How people let agents act in their name on pages of ours; default: they can't. */
  readonly consent?: ConsentOptions;
  /** Delegations that a chain may hold, at most; default 4. */
  readonly maxDelegationDepth?: number;
  /** Which agent may act for which other one; default: agents of the same owner. */
  readonly delegationPolicy?: DelegationPolicy;
  /** What the detector thinks of a session, for apps that ask about tokens; default: nothing. */
  readonly riskOf?: (session: {
    readonly tenant: string;
    readonly sid: string;
    readonly agentId: string;
    readonly now: number;
  }) => SessionRisk;
  /** Whether passports without a key binding are issued and taken, and from where. */
  readonly bearer?: 'never' | 'loopback';
  /** Whether the issuer's listener speaks TLS itself and asks clients for certificates (RFC 8705). */
  readonly mtls?: boolean;
  /** Ask for a server nonce in DPoP proofs (RFC 9449 sections 8 and 9). */
  readonly nonce?: boolean;
  readonly limits?: { readonly address?: RateLimit; readonly client?: RateLimit };
  /** Told of the scopes that agents ask for, before they are answered. */
  readonly onScopesAsked?: ScopesAsked;
  /** Told of faults that no caller waits for. */
  readonly onFault?: (fault: unknown) => void;
}
