import type { JsonObject, Severity } from '../core/index.ts';

/** Where alerts go. The signing secret is sealed by the vault's keyring before it comes here. */
export interface SinkRecord {
  readonly tenant: string;
  readonly id: string;
  readonly name: string;
  /** Key of the table alerts/sinks. */
  readonly kind: string;
  /** Address and options; never a secret. */
  readonly options: JsonObject;
  /** nonce || ciphertext || tag; null for sinks without a secret. */
  readonly sealedSecret: Uint8Array | null;
  readonly minSeverity: Severity;
  readonly status: 'active' | 'disabled';
  readonly createdAt: number;
}

export interface DeliveryRecord {
  readonly sinkId: string;
  /** Sequence number of the `alert.raised` record in the audit log. */
  readonly sequence: number;
  readonly alertId: string;
  readonly attempts: number;
  readonly nextAttemptAt: number;
  readonly status: 'pending' | 'delivered' | 'abandoned';
  readonly lastError: string | null;
}

export interface SinkStore {
  /** False when the name is taken. */
  insert(sink: SinkRecord): Promise<boolean>;
  get(tenant: string, id: string): Promise<SinkRecord | null>;
  list(tenant: string): Promise<SinkRecord[]>;
  /** All tenants. */
  all(): Promise<SinkRecord[]>;
  setStatus(tenant: string, id: string, status: 'active' | 'disabled'): Promise<boolean>;
  /** False when there is no such sink. */
  setSecret(tenant: string, id: string, sealedSecret: Uint8Array): Promise<boolean>;
  delete(tenant: string, id: string): Promise<boolean>;
}

export interface OutboxStore {
  /** Sequence up to which this node's log has been projected into deliveries; 0 at first. */
  cursor(node: string): Promise<number>;
  /** In one transaction: inserts the deliveries (ignoring ones that exist) and moves the cursor forward. */
  project(node: string, deliveries: readonly DeliveryRecord[], cursor: number): Promise<void>;
  /** Pending and due, the longest overdue first; those of `exceptSinks` are left out, so that a sink that is
   * busy or dead does not stand in the way of the others. */
  due(node: string, now: number, limit: number, exceptSinks?: readonly string[]): Promise<DeliveryRecord[]>;
  /** When the next pending one is due; null when none is pending. */
  nextDueAt(node: string, exceptSinks?: readonly string[]): Promise<number | null>;
  /** Makes pending ones that are due later than `beyond` due at `to`: for a clock that was set back. */
  pullForward(node: string, beyond: number, to: number): Promise<void>;
  /** Forgets cursor and deliveries: for a node whose log was begun anew. */
  restart(node: string): Promise<void>;
  record(node: string, delivery: DeliveryRecord): Promise<void>;
  list(
    node: string,
    filter: {
      readonly status?: DeliveryRecord['status'];
      readonly limit: number;
      /** The last one seen. */
      readonly after?: { readonly sequence: number; readonly sinkId: string } | null;
    },
  ): Promise<DeliveryRecord[]>;
  /** Forgets delivered and abandoned ones whose last attempt was before `before`; tells how many. */
  deleteFinished(node: string, before: number): Promise<number>;
}
