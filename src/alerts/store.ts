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
  delete(tenant: string, id: string): Promise<boolean>;
}

export interface OutboxStore {
  /** Sequence up to which this node's log has been projected into deliveries; 0 at first. */
  cursor(node: string): Promise<number>;
  /** In one transaction: inserts the deliveries (ignoring ones that exist) and moves the cursor forward. */
  project(node: string, deliveries: readonly DeliveryRecord[], cursor: number): Promise<void>;
  due(node: string, now: number, limit: number): Promise<DeliveryRecord[]>;
  /** When the next pending one is due; null when none is pending. */
  nextDueAt(node: string): Promise<number | null>;
  record(node: string, delivery: DeliveryRecord): Promise<void>;
  list(
    node: string,
    filter: { readonly status?: DeliveryRecord['status']; readonly limit: number },
  ): Promise<DeliveryRecord[]>;
}
