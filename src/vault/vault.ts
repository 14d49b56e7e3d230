import type { Receipt } from '../audit/index.ts';
import type { AuditEvent, Clock, SecretBytes } from '../core/index.ts';
import type { Permit } from '../policy/index.ts';
import type { OpenedCredential } from './opened-credential.ts';
import type { SealChoice } from './seals/index.ts';
import type { CredentialBinding, CredentialStore } from './store.ts';
import type { CredentialView } from './view.ts';

export interface VaultOptions {
  readonly store: CredentialStore;
  /** Folder of the root key and the vault's state. */
  readonly keysDirectory: string;
  readonly seal: SealChoice;
  readonly clock: Clock;
  /** Resolves when the record is durable. */
  readonly audit: (event: AuditEvent) => Promise<unknown>;
}

export interface CredentialName {
  readonly tenant: string;
  readonly name: string;
}

/** Keeps secrets sealed, and opens one for one permitted and recorded call at a time. */
export interface Vault {
  /**
   * Stores a secret with its binding. On a name that is in use, the new secret and binding take its place
   * (a binding never changes without the secret). Throws `input_invalid`, `conflict`.
   */
  put(
    o: CredentialName & { readonly secret: SecretBytes; readonly binding: CredentialBinding },
    by: string,
  ): Promise<CredentialView>;
  /** A new secret under the same binding; the old one stops at once. Throws `not_found`, `input_invalid`. */
  rotate(o: CredentialName & { readonly secret: SecretBytes }, by: string): Promise<CredentialView>;
  /** Stops use at once and empties the row. Throws `not_found` when there is nothing to revoke. */
  revoke(o: CredentialName, by: string): Promise<void>;
  /** Forgets all versions. Throws `not_found`. */
  delete(o: CredentialName, by: string): Promise<void>;
  list(o: {
    readonly tenant: string;
    readonly after?: string | null;
    readonly limit?: number;
  }): Promise<readonly CredentialView[]>;
  /** The current version, out of memory; null: no such name. */
  describe(tenant: string, name: string): CredentialView | null;
  /**
   * Opens the credential that the permit names. Throws `credential_missing`, `credential_revoked`,
   * `credential_destination`, `credential_unusable`, `vault_sealed`. The receipt proves that the call is
   * recorded (G4). Dispose of what comes back.
   */
  use(permit: Permit, receipt: Receipt): OpenedCredential;
  /** Tells of every put, rotation, revocation and deletion, on any node. Returns the way to stop. */
  onChanged(listener: (changed: CredentialName) => void): () => void;
  /** Seals one of the product's own secrets; `context` names its place, and opens it again. */
  sealBlob(context: string, bytes: Uint8Array): Uint8Array;
  /** Throws `credential_unusable` when context or bytes are not those that were sealed. */
  openBlob(context: string, blob: Uint8Array): SecretBytes;
  /**
   * 32 bytes that these names alone stand for, the same at each start and on every node; they survive `rotateKeys`.
   * For keys that would otherwise have to be stored. Dispose of what comes back.
   */
  deriveKey(names: readonly string[]): SecretBytes;
  /** A new key-encryption key; rows are wrapped with it one by one. Resolves with how many. */
  rotateKeys(by: string): Promise<{ readonly keyId: string; readonly rewrapped: number }>;
  close(): Promise<void>;
}
