import type { ApprovalRecord, UsedApproval } from '../approvals/index.ts';
import type { Receipt } from '../audit/index.ts';
import type {
  ActorSummary,
  AuditEvent,
  AuditEventOf,
  Call,
  CallSummary,
  Clock,
  Decision,
  Effect,
  Finding,
  ServiceDirectory,
  SessionRisk,
  Subject,
} from '../core/index.ts';
import type { Detector } from '../detector/index.ts';
import type { PassportVerifier, VerifiedPassport } from '../passport/index.ts';
import type { Permit, PermitInput } from '../policy/index.ts';
import type { Vault } from '../vault/index.ts';
import type { Contain } from './contain.ts';
import type { EgressGuard } from './egress/destination.ts';
import type { Pools } from './egress/pools.ts';
import type { NeedleCache } from './forward/needle-cache.ts';
import type { InFlight } from './in-flight.ts';

/** What the line asks of policy/, for the set that is in force at the moment. */
export interface PolicyGate {
  readonly generation: number;
  decide(passport: VerifiedPassport, call: Call, risk: SessionRisk, now: number): Decision;
  permit(o: PermitInput): Permit;
  /** Indices of the passport's details that cover the call; throws `scope_insufficient` when it has some and none does. */
  coveringDetails(passport: VerifiedPassport, call: Call, now: number): readonly number[];
  /** Throws `scope_insufficient`; `permit` does too, but a person is not to be asked before. */
  assertScope(passport: VerifiedPassport, call: Call): void;
  /** Whether a policy that can matter for the call looks at its body. */
  needsBody(passport: VerifiedPassport, call: Call): boolean;
  /** Header fields that an approval is bound to. */
  approvalHeaders(decision: Decision): readonly string[];
}

export interface CredentialName {
  readonly name: string;
  readonly version: number;
}

/** What the line asks of approvals/. */
export interface ApprovalGate {
  /** The live approval of this very call; asks a person when there is none. Throws `approval_*` until one is given. */
  settle(hold: Hold): Promise<Settled>;
  get(tenant: string, id: string): Promise<ApprovalRecord | null>;
  wait(o: {
    readonly tenant: string;
    readonly id: string;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }): Promise<ApprovalRecord>;
}

/** An approval that was used up, and the digest of the call as it is now: the permit compares them. */
export interface Settled {
  readonly approval: UsedApproval;
  readonly callDigest: string;
}

/** A call that waits for a person. */
export interface Hold {
  readonly passport: VerifiedPassport;
  /** Its body, when there is one, was read whole. */
  readonly call: Call;
  readonly headerNames: readonly string[];
  readonly credential: CredentialName | null;
  readonly reason: string;
  /** Those that hold it; none: the detector does. */
  readonly policies: readonly string[];
  /** How many different people have to say yes. */
  readonly approvers: 1 | 2;
}

/** What the line asks of detector/. */
export type DetectorGate = { readonly bait: Pick<Detector['bait'], 'listing' | 'wants'> } & Pick<
  Detector,
  | 'inspect'
  | 'observe'
  | 'riskOf'
  | 'outboundScanner'
  | 'inspectStray'
  | 'plantInResult'
  | 'recordRefusal'
  | 'describeTool'
  | 'toolList'
>;

export interface LineSettings {
  /** Base of approval pages: `<controlUrl>/approvals/<id>`. */
  readonly controlUrl: string;
  /** Base of the gate's own URLs, without a slash at the end. */
  readonly publicUrl: string;
  readonly inspectBodyBytes: number;
  readonly detectorDeadlineMs: number;
  /** How long an upstream may stay silent. */
  readonly upstreamTimeoutMs: number;
  readonly maxResponseBytes: number;
}

/** Everything that a call passes on its way; each room by the narrowest interface that does. */
export interface Line {
  readonly services: ServiceDirectory;
  readonly verifier: PassportVerifier;
  readonly policy: PolicyGate;
  readonly approvals: ApprovalGate;
  readonly detector: DetectorGate;
  readonly vault: Pick<Vault, 'describe' | 'use'>;
  readonly audit: { append(event: AuditEvent): Promise<Receipt> };
  /** Takes what is said to those without a passport, so that they can't fill the log. */
  readonly recordStranger: (event: AuditEventOf<'call.refused'>) => Promise<void>;
  /** Findings worth a person's time, as an event for the log; null: not worth it, or a repeat. */
  readonly raise: (o: {
    readonly call: CallSummary | null;
    readonly actor: ActorSummary | null;
    readonly findings: readonly Finding[];
    readonly effect: Effect;
    readonly now: number;
    readonly tenant: string;
  }) => AuditEvent | null;
  /** Carries out what a verdict asks for beyond its call. */
  readonly contain: Contain;
  readonly egress: EgressGuard;
  readonly pools: Pools;
  readonly needles: NeedleCache;
  readonly inFlight: InFlight;
  readonly clock: Clock;
  readonly settings: LineSettings;
  /** Names the state that open upstream connections were made under; they are given up when it changes. */
  epoch(): string;
}

/** Where a call has come to, for the one record that is written when it is refused or fails. */
export interface Story {
  readonly callId: string;
  readonly startedAt: number;
  readonly remote: string | null;
  tenant: string;
  subject: Subject | null;
  actor: ActorSummary | null;
  call: CallSummary | null;
  policies: readonly string[];
  findings: readonly Finding[];
  /** True once `call.permitted` is durable: what ends later is a failure, not a refusal. */
  permitted: boolean;
  requestBytes: number;
  responseBytes: number;
}
