export { checkVaultKeys } from './keyring.ts';
export type { OpenedCredential } from './opened-credential.ts';
export { inject, injectedForms } from './opened-credential.ts';
export { openBox, passphraseBoxSchema, sealInBox } from './passphrase-box.ts';
export { openVault } from './sealed-vault.ts';
export type { SealChoice } from './seals/index.ts';
export type { CredentialBinding, CredentialRecord, CredentialStore } from './store.ts';
export type { Vault } from './vault.ts';
export type { CredentialView } from './view.ts';
