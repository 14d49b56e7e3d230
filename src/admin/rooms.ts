import type { DeliveryRecord, Sinks } from '../alerts/index.ts';
import type { Approvals } from '../approvals/index.ts';
import type { AuditLog, VerifyReport } from '../audit/index.ts';
import type { JsonObject, Service, Severity } from '../core/index.ts';
import type { DecoyRecord } from '../detector/index.ts';
import type { PassportRoom } from '../passport/index.ts';
import type { Users } from '../people/index.ts';
import type { Vault } from '../vault/index.ts';
import type { AdminTokens } from './tokens.ts';

/** What the admin API needs of the rooms behind it; compose hands in the real ones. Each audits its changes. */
export interface AdminRooms {
  readonly passport: Pick<
    PassportRoom,
    'agents' | 'initialTokens' | 'personGrants' | 'revocations' | 'keys' | 'passports'
  >;
  readonly users: Users;
  readonly services: ServicesRoom;
  readonly vault: Pick<Vault, 'put' | 'rotate' | 'revoke' | 'delete' | 'list' | 'describe' | 'rotateKeys'>;
  readonly approvals: Pick<Approvals, 'get' | 'list' | 'decide' | 'wait'>;
  readonly policy: PolicyRoom;
  readonly sinks: Pick<Sinks, 'put' | 'list' | 'delete' | 'setStatus' | 'rotateSecret' | 'test'>;
  /** Deliveries of this node. */
  deliveries(filter: {
    readonly status?: DeliveryRecord['status'];
    readonly limit: number;
    /** The last one seen. */
    readonly after: { readonly sequence: number; readonly sinkId: string } | null;
  }): Promise<readonly DeliveryRecord[]>;
  readonly decoys: DecoysRoom;
  readonly audit: Pick<AuditLog, 'node' | 'lastSequence' | 'read' | 'checkpoint'>;
  /** Checks the log's folder; `checkpoint`: a signed note that was kept elsewhere. */
  verifyAudit(checkpoint: string | null): Promise<VerifyReport>;
  readonly authority: AuthorityRoom;
  readonly tokens: AdminTokens;
  /** Copies the embedded database into a new file of the data folder; null where there is none. Audited. */
  snapshotDatabase(by: string): Promise<string | null>;
  /** What is on, what is off, and what an administrator has weakened. */
  status(): Promise<JsonObject>;
}

export interface ServicesRoom {
  /** `definition`: a Service whose origins may be texts. Throws `input_invalid`, `conflict`. */
  put(definition: unknown, by: string): Promise<Service>;
  byName(tenant: string, name: string): Service | null;
  list(tenant: string): readonly Service[];
  delete(tenant: string, name: string, by: string): Promise<void>;
}

export interface PolicyRoom {
  status(): JsonObject;
  /** Checks the files as they stand on disk now, without putting them in force. */
  check(): Promise<JsonObject>;
  reload(): Promise<JsonObject>;
  explain(request: JsonObject): Promise<JsonObject>;
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

/** The certificate authority by which the gateway looks into tunnels. */
export interface AuthorityRoom {
  status(): Promise<JsonObject>;
  /** PEM; the export is audited. */
  export(tenant: string, by: string): Promise<string>;
}
