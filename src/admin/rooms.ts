import type { DeliveryRecord, Sinks } from '../alerts/index.ts';
import type { ApprovalRecord, ApprovalStatus } from '../approvals/index.ts';
import type { AuditLog, VerifyReport } from '../audit/index.ts';
import type { JsonObject, RevocationKind, Service, Severity } from '../core/index.ts';
import type { DecoyRecord } from '../detector/index.ts';
import type { AgentRecord, PassportRecord, RevocationRecord } from '../passport/index.ts';
import type { Vault } from '../vault/index.ts';
import type { AdminTokens } from './tokens.ts';

/** What the admin API needs of the rooms behind it; compose hands in the real ones. */
export interface AdminRooms {
  readonly agents: AgentsRoom;
  readonly passports: PassportsRoom;
  readonly signingKeys: SigningKeysRoom;
  readonly services: ServicesRoom;
  readonly vault: Pick<Vault, 'put' | 'rotate' | 'revoke' | 'delete' | 'list' | 'describe' | 'rotateKeys'>;
  readonly approvals: ApprovalsRoom;
  readonly policy: PolicyRoom;
  readonly sinks: SinksRoom;
  readonly decoys: DecoysRoom;
  readonly audit: AuditRoom;
  readonly authority: AuthorityRoom;
  readonly tokens: AdminTokens;
  /** What is on, what is off, and what an administrator has weakened. */
  status(): Promise<JsonObject>;
}

interface Named {
  readonly tenant: string;
  readonly name: string;
}

interface Identified {
  readonly tenant: string;
  readonly id: string;
}

interface Page {
  readonly after: string | null;
  readonly limit: number;
}

/** Each change is audited by the room, and effective at once. */
export interface AgentsRoom {
  /** `secret` is the generated client secret when one was asked for; it is given once. */
  register(
    wanted: {
      readonly tenant: string;
      readonly name: string;
      readonly owner: string;
      readonly scopes: readonly string[];
      readonly purpose: string | null;
      readonly jwks: readonly JsonObject[];
      readonly withSecret: boolean;
    },
    by: string,
  ): Promise<{ readonly agent: AgentRecord; readonly secret: string | null }>;
  update(
    change: Identified & {
      readonly scopes?: readonly string[];
      readonly purpose?: string | null;
      readonly jwks?: readonly JsonObject[];
    },
    by: string,
  ): Promise<AgentRecord>;
  rotateSecret(
    agent: Identified,
    by: string,
  ): Promise<{ readonly agent: AgentRecord; readonly secret: string }>;
  quarantine(change: Identified & { readonly reason: string | null }, by: string): Promise<AgentRecord>;
  release(change: Identified & { readonly reason: string | null }, by: string): Promise<AgentRecord>;
  remove(agent: Identified, by: string): Promise<void>;
  get(tenant: string, id: string): Promise<AgentRecord | null>;
  byName(tenant: string, name: string): Promise<AgentRecord | null>;
  list(tenant: string, page: Page): Promise<readonly AgentRecord[]>;
}

export interface PassportsRoom {
  list(
    tenant: string,
    filter: Page & { readonly agentId?: string; readonly liveAt?: number },
  ): Promise<readonly PassportRecord[]>;
  get(tenant: string, jti: string): Promise<PassportRecord | null>;
  revoke(revocation: {
    readonly tenant: string;
    readonly kind: RevocationKind;
    readonly value: string;
    readonly by: string;
    readonly reason: string | null;
  }): Promise<RevocationRecord>;
  revocations(tenant: string, page: Page): Promise<readonly RevocationRecord[]>;
}

export interface SigningKeysRoom {
  /** The public keys as a JWK set. */
  jwks(): JsonObject;
  rotate(by: string): Promise<{ readonly kid: string }>;
}

export interface ServicesRoom {
  put(service: Service, by: string): Promise<Service>;
  byName(tenant: string, name: string): Service | null;
  list(tenant: string): Promise<readonly Service[]>;
  delete(service: Named, by: string): Promise<void>;
}

export interface ApprovalsRoom {
  get(tenant: string, id: string): Promise<ApprovalRecord | null>;
  list(
    tenant: string,
    filter: Page & { readonly status?: ApprovalStatus },
  ): Promise<readonly ApprovalRecord[]>;
  decide(decision: {
    readonly tenant: string;
    readonly id: string;
    readonly status: 'approved' | 'denied';
    readonly by: string;
    readonly reason: string | null;
  }): Promise<ApprovalRecord>;
  wait(o: Identified & { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<ApprovalRecord>;
}

export interface PolicyRoom {
  status(): JsonObject;
  /** Checks the files as they stand on disk now, without putting them in force. */
  check(): Promise<JsonObject>;
  reload(): Promise<JsonObject>;
  explain(request: JsonObject): Promise<JsonObject>;
}

export interface SinksRoom
  extends Pick<Sinks, 'put' | 'list' | 'delete' | 'setStatus' | 'rotateSecret' | 'test'> {
  /** Deliveries of this node. */
  deliveries(filter: {
    readonly status?: DeliveryRecord['status'];
    readonly limit: number;
  }): Promise<readonly DeliveryRecord[]>;
}

export interface DecoysRoom {
  plant(
    wanted: {
      readonly tenant: string;
      readonly kind: DecoyRecord['kind'];
      readonly name: string;
      readonly value?: string;
      readonly sid?: string | null;
      readonly severity: Severity;
    },
    by: string,
  ): Promise<DecoyRecord>;
  list(tenant: string): Promise<readonly DecoyRecord[]>;
  remove(tenant: string, id: string, by: string): Promise<void>;
}

export interface AuditRoom extends Pick<AuditLog, 'node' | 'lastSequence' | 'read' | 'checkpoint'> {
  /** Checks the log's folder; `checkpoint`: a signed note that was kept elsewhere. */
  verify(checkpoint: string | null): Promise<VerifyReport>;
}

/** The certificate authority by which the gateway looks into tunnels. */
export interface AuthorityRoom {
  status(tenant: string): Promise<JsonObject>;
  /** PEM; the export is audited. */
  export(tenant: string, by: string): Promise<string>;
}
