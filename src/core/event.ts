import type { Door } from './call.ts';
import type { Effect } from './decision.ts';
import type { Finding, Severity } from './finding.ts';
import type { JsonObject } from './json.ts';
import type { RefusalCode } from './refusal.ts';

/** A call as the log tells it: no header values, no query values, no body. */
export interface CallSummary {
  readonly id: string;
  readonly door: Door;
  /** `http.call` or `tool.call`. */
  readonly action: string;
  /** Service name, or tool name. */
  readonly resource: string;
  /** `GET https://api.example.com/path`; query names without values. */
  readonly target: string;
  readonly bodyInspected: boolean;
  /** base64url SHA-256 of the request body where it was read whole, else null. */
  readonly bodyDigest: string | null;
}

/** Who did it, as the log tells it. */
export interface ActorSummary {
  readonly agentId: string;
  readonly owner: string;
  readonly user: string | null;
  readonly sid: string;
  readonly jti: string;
  readonly chain: readonly string[];
}

/** Everything that can stand in the log, and what each entry tells. The set is closed. */
export interface AuditEventMap {
  'call.permitted': {
    readonly call: CallSummary;
    readonly actor: ActorSummary;
    readonly effect: Effect;
    readonly policies: readonly string[];
    readonly policyGeneration: number;
    readonly score: number;
    readonly findings: readonly Finding[];
    readonly credential: { readonly name: string; readonly version: number } | null;
    readonly approvalId: string | null;
  };
  'call.refused': {
    readonly call: CallSummary | null;
    readonly actor: ActorSummary | null;
    readonly code: RefusalCode;
    readonly detail: string | null;
    readonly internal: string | null;
    readonly policies: readonly string[];
    readonly findings: readonly Finding[];
    readonly remote: string | null;
  };
  /** Refusals of strangers beyond those that were recorded one by one. */
  'refusals.counted': {
    /** Type of the event that was counted. */
    readonly of: string;
    readonly code: string;
    readonly count: number;
    /** Time of the first, milliseconds. */
    readonly since: number;
  };
  'call.completed': {
    readonly callId: string;
    readonly sid: string;
    readonly status: number;
    readonly durationMs: number;
    readonly requestBytes: number;
    readonly responseBytes: number;
    readonly requestDigest: string | null;
    /** How often a form of the injected secret was taken out of the answer. */
    readonly scrubbed: number;
    readonly findings: readonly Finding[];
  };
  'call.failed': {
    readonly callId: string;
    readonly sid: string;
    readonly code: RefusalCode;
    readonly detail: string | null;
    readonly internal: string | null;
    readonly durationMs: number;
    readonly requestBytes: number;
    readonly responseBytes: number;
  };
  'observe.recorded': {
    readonly sid: string;
    /** Agent id of who told: the agent itself, or for an instruction the user's side. */
    readonly by: string;
    readonly phase: 'instruction' | 'call' | 'result';
    readonly callId: string;
    readonly textBytes: number;
    readonly textDigest: string;
    readonly findings: readonly Finding[];
  };
  'passport.issued': {
    readonly agentId: string;
    readonly owner: string;
    readonly user: string | null;
    readonly sid: string;
    readonly jti: string;
    readonly chain: readonly string[];
    readonly scope: string;
    readonly audience: string;
    readonly jkt: string | null;
    /** Hash of the certificate that it is bound to, or null. */
    readonly x5t: string | null;
    readonly expiresAt: number;
    readonly grant: string;
    /** jti of the passport that it was exchanged from. */
    readonly parent: string | null;
    /** Agents of its chain, the one that acts first. */
    readonly lineage: readonly string[];
    readonly details: readonly JsonObject[];
    readonly kid: string | null;
    readonly credential: string | null;
    readonly statusIndex: number | null;
  };
  'passport.refused': {
    readonly clientId: string | null;
    readonly error: string;
    readonly detail: string | null;
  };
  'passport.revoked': {
    readonly revocationId: string;
    readonly kind: RevocationKind;
    readonly value: string;
    readonly by: string;
    readonly reason: string | null;
  };
  'agent.registered': AdminChange;
  'agent.updated': AdminChange;
  'agent.deleted': AdminChange;
  'agent.quarantined': AdminChange;
  'agent.released': AdminChange;
  'service.put': AdminChange;
  'service.deleted': AdminChange;
  'credential.put': AdminChange;
  'credential.rotated': AdminChange;
  'credential.revoked': AdminChange;
  'credential.deleted': AdminChange;
  'decoy.planted': AdminChange;
  'decoy.deleted': AdminChange;
  'sink.put': AdminChange;
  'sink.deleted': AdminChange;
  'sink.rotated': AdminChange;
  'sink.enabled': AdminChange;
  'sink.disabled': AdminChange;
  'sink.tested': AdminChange;
  'admin_token.created': AdminChange;
  'admin_token.deleted': AdminChange;
  'initial_token.created': AdminChange;
  'initial_token.deleted': AdminChange;
  'user.added': AdminChange;
  'user.updated': AdminChange;
  'user.disabled': AdminChange;
  'user.enabled': AdminChange;
  'user.removed': AdminChange;
  'user.enrolled': AdminChange;
  'user.signed_in': AdminChange;
  'user.signed_out': AdminChange;
  /** A user showed to be there for one approval. */
  'user.confirmed': AdminChange;
  /** Nobody was signed in; `name` as it was typed is left out where no user has it. */
  'user.refused': {
    readonly user: string | null;
    readonly method: string;
    readonly reason: string;
    readonly remote: string | null;
  };
  'grant.given': AdminChange;
  'grant.refused': AdminChange;
  'grant.ended': AdminChange;
  'admin.refused': {
    readonly code: RefusalCode;
    readonly method: string;
    readonly path: string;
    readonly remote: string | null;
  };
  'ca.exported': AdminChange;
  'ca.issued': AdminChange;
  'key.rotated': AdminChange;
  'backup.made': AdminChange;
  'approval.requested': ApprovalChange;
  'approval.half_approved': ApprovalChange;
  'approval.approved': ApprovalChange;
  'approval.denied': ApprovalChange;
  'approval.used': ApprovalChange;
  'policy.loaded': { readonly generation: number; readonly policies: number; readonly digest: string };
  'rules.loaded': { readonly rules: number; readonly refused: number; readonly digest: string };
  'rules.rejected': { readonly faults: readonly string[] };
  'policy.rejected': { readonly generation: number; readonly faults: readonly string[] };
  'alert.raised': {
    readonly alertId: string;
    readonly severity: Severity;
    readonly title: string;
    readonly callId: string | null;
    readonly sid: string | null;
    readonly agentId: string | null;
    readonly effect: Effect;
    readonly findings: readonly Finding[];
    /** Alike findings that were not raised again since the last alert of their kind. */
    readonly repeats: number;
  };
  'alert.abandoned': {
    readonly alertId: string;
    readonly sinkId: string;
    readonly attempts: number;
    readonly reason: string;
  };
  'gate.started': { readonly version: string; readonly node: string; readonly settings: JsonObject };
  'gate.stopped': { readonly reason: string; readonly callsCut: number };
  'tls.loaded': {
    readonly listener: 'control' | 'gateway';
    /** Hex SHA-256 of the certificate. */
    readonly fingerprint: string;
    readonly expiresAt: number;
  };
  'tls.rejected': { readonly listener: 'control' | 'gateway'; readonly fault: string };
  'audit.recovered': { readonly droppedBytes: number };
}

/** What an administrator changed. `changes` names members; secret ones stand as `[secret]`. */
export interface AdminChange {
  readonly id: string;
  readonly by: string;
  readonly changes: JsonObject;
}

export interface ApprovalChange {
  readonly approvalId: string;
  readonly callDigest: string;
  readonly by: string;
  readonly sid: string;
  readonly reason: string | null;
}

export type RevocationKind =
  | 'token'
  | 'hop'
  | 'session'
  | 'agent'
  | 'owner'
  | 'user'
  /** A key or secret that an agent authenticates with, as `<agent id>/<kid or secret id>`. */
  | 'credential'
  /** A key that passports are signed with. */
  | 'key';

export type AuditEventType = keyof AuditEventMap;

/** An entry of one type. */
export interface AuditEventOf<T extends AuditEventType> {
  readonly type: T;
  readonly tenant: string;
  readonly at: number;
  readonly data: AuditEventMap[T];
}

/** One entry before it is chained. */
export type AuditEvent = { readonly [T in AuditEventType]: AuditEventOf<T> }[AuditEventType];
