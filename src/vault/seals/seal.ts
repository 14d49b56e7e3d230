import type { SecretBytes } from '../../core/index.ts';

/** Which seal to use, with what it needs from the administrator. */
export type SealChoice =
  | { readonly kind: 'file' }
  | { readonly kind: 'passphrase'; readonly passphrase: SecretBytes };

/** Keeps the root key: 32 random bytes from which everything else follows. */
export interface Seal {
  /**
   * The root key; null when the seal has none yet. Throws an error that names the file when it is damaged or
   * can't be opened. The caller wipes the bytes.
   */
  unseal(path: string): Promise<Buffer | null>;
  /** Keeps a new root key; false when the seal has one already. */
  seal(path: string, rootKey: Uint8Array): Promise<boolean>;
}
