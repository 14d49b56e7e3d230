import type { InjectorSpec, Origin } from '../core/index.ts';

/** Everything that is sealed together with a secret: changing any of it makes the secret unreadable (G2). */
export interface CredentialBinding {
  readonly destinations: readonly Origin[];
  /** PEM of the upstream's certificate authority, or null for the system's. */
  readonly upstreamCa: string | null;
  readonly allowPrivate: boolean;
  readonly injector: InjectorSpec;
}

export interface CredentialRecord {
  readonly tenant: string;
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly binding: CredentialBinding;
  readonly status: 'active' | 'superseded' | 'revoked';
  /** Which key-encryption key wraps the data key. */
  readonly kekId: string;
  /** nonce || ciphertext || tag of the data key under the key-encryption key. */
  readonly wrappedKey: Uint8Array;
  /** nonce || ciphertext || tag of the secret under the data key. Emptied at revocation. */
  readonly sealed: Uint8Array;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly revokedAt: number | null;
}

export interface CredentialStore {
  /** Version 1 of a new name; false when the name has a version that is active. */
  insert(record: CredentialRecord): Promise<boolean>;
  /** In one step: the active version becomes superseded and emptied, `record` becomes the active one. False
   * when the active version is not `record.version - 1`. */
  rotate(record: CredentialRecord): Promise<boolean>;
  /** The active version, or the newest one when none is active; null when the name is unknown. */
  current(tenant: string, name: string): Promise<CredentialRecord | null>;
  /** Current versions of all tenants: read at start. */
  allCurrent(): Promise<CredentialRecord[]>;
  list(
    tenant: string,
    page: { readonly after: string | null; readonly limit: number },
  ): Promise<CredentialRecord[]>;
  /** Revokes and empties every version of the name; false when the name is unknown or already revoked. */
  revoke(tenant: string, name: string, at: number): Promise<boolean>;
  /** Forgets all versions; false when the name is unknown. */
  delete(tenant: string, name: string): Promise<boolean>;
  /** Replaces wrapped keys after a change of the key-encryption key; false when the row changed meanwhile. */
  rewrap(record: CredentialRecord, previousKekId: string): Promise<boolean>;
  /** As RevocationStore.follow: tells of changes to a credential made on any node. */
  follow(
    listener: (changed: { readonly tenant: string; readonly name: string }) => void,
    resync: () => void,
  ): Promise<{ stop(): Promise<void> }>;
}
