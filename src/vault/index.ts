export type { OutboundDraft } from './injectors/index.ts';
export type { OpenedCredential } from './opened-credential.ts';
export { inject, injectedForms } from './opened-credential.ts';
export { openVault } from './sealed-vault.ts';
export type { SealChoice } from './seals/index.ts';
export type { CredentialBinding, CredentialRecord, CredentialStore } from './store.ts';
export type { CredentialName, Vault, VaultOptions } from './vault.ts';
export type { CredentialView } from './view.ts';
