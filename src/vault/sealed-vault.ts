import { isReceipt, type Receipt } from '../audit/index.ts';
import {
  type AuditEvent,
  type Clock,
  type JsonObject,
  newId,
  Refusal,
  type SecretBytes,
} from '../core/index.ts';
import type { Permit } from '../policy/index.ts';
import { checkCredential, secretFaults } from './binding.ts';
import { CurrentCredentials, RETRY_MS } from './current-credentials.ts';
import { Envelope } from './envelope.ts';
import { Keyring } from './keyring.ts';
import { assertMayUse } from './may-use.ts';
import { type OpenedCredential, toOpenedCredential } from './opened-credential.ts';
import { SecureMemory } from './secure-memory.ts';
import type { CredentialBinding, CredentialRecord, CredentialStore } from './store.ts';
import type { CredentialName, Vault, VaultOptions } from './vault.ts';
import { type CredentialView, toChanges, toView } from './view.ts';

/** Opens the vault; at first start makes its root key. Throws an error that names the faulty file. */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const keyring = await Keyring.open(options.keysDirectory, options.seal);
  const vault = new SealedVault(options, keyring);
  try {
    await vault.start();
    return vault;
  } catch (error) {
    await vault.close();
    throw error;
  }
}

class SealedVault implements Vault {
  readonly #store: CredentialStore;
  readonly #clock: Clock;
  readonly #audit: (event: AuditEvent) => Promise<unknown>;
  readonly #keyring: Keyring;
  readonly #envelope: Envelope;
  readonly #current: CurrentCredentials;
  #closed = false;

  constructor(options: VaultOptions, keyring: Keyring) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#audit = options.audit;
    this.#keyring = keyring;
    this.#envelope = new Envelope(keyring, new SecureMemory());
    this.#current = new CurrentCredentials(options.store);
  }

  start(): Promise<void> {
    return this.#current.start();
  }

  put(
    o: CredentialName & { readonly secret: SecretBytes; readonly binding: CredentialBinding },
    by: string,
  ): Promise<CredentialView> {
    return this.#current.change(async () => {
      this.#mustBeOpen();
      // A copy, so that what was checked is what is sealed.
      const wanted = { ...o, binding: structuredClone(o.binding) };
      checkCredential(wanted);
      const current = await this.#store.current(o.tenant, o.name);
      const record = this.#seal({ ...wanted, current, by });
      await this.#record('credential.put', record, by, toChanges(record));
      const stored =
        current?.status === 'active' ? await this.#store.rotate(record) : await this.#store.insert(record);
      if (!stored) throw changedMeanwhile(o.name);
      this.#current.set(record);
      return toView(record);
    });
  }

  rotate(o: CredentialName & { readonly secret: SecretBytes }, by: string): Promise<CredentialView> {
    return this.#current.change(async () => {
      this.#mustBeOpen();
      const current = await this.#store.current(o.tenant, o.name);
      if (current === null || current.status !== 'active') throw unknownName(o.name);
      const faults = secretFaults(o.secret, current.binding);
      if (faults.length > 0) {
        throw new Refusal('input_invalid', {
          detail: `The credential can not be rotated: ${faults.join('; ')}.`,
          extra: { errors: faults },
        });
      }
      // Opening the old one proves that its binding is what was sealed: a binding that was changed in the
      // database must not get a fresh secret sealed to it.
      this.#envelope.open(current).release();
      const record = this.#seal({ ...o, binding: current.binding, current, by });
      await this.#record('credential.rotated', record, by, toChanges(record));
      if (!(await this.#store.rotate(record))) throw changedMeanwhile(o.name);
      this.#current.set(record);
      return toView(record);
    });
  }

  revoke({ tenant, name }: CredentialName, by: string): Promise<void> {
    return this.#current.withdraw({ tenant, name }, async () => {
      this.#mustBeOpen();
      const current = await this.#store.current(tenant, name);
      if (current === null || current.status === 'revoked') throw unknownName(name);
      await this.#record('credential.revoked', current, by, { name, version: current.version });
      await this.#store.revoke(tenant, name, this.#clock.now());
    });
  }

  delete({ tenant, name }: CredentialName, by: string): Promise<void> {
    return this.#current.withdraw({ tenant, name }, async () => {
      this.#mustBeOpen();
      const current = await this.#store.current(tenant, name);
      if (current === null) throw unknownName(name);
      await this.#record('credential.deleted', current, by, { name, version: current.version });
      await this.#store.delete(tenant, name);
    });
  }

  async list(o: {
    readonly tenant: string;
    readonly after?: string | null;
    readonly limit?: number;
  }): Promise<readonly CredentialView[]> {
    const records = await this.#store.list(o.tenant, { after: o.after ?? null, limit: o.limit ?? 100 });
    return records.map(toView);
  }

  describe(tenant: string, name: string): CredentialView | null {
    const record = this.#current.get(tenant, name);
    return record === null ? null : toView(record);
  }

  use(permit: Permit, receipt: Receipt): OpenedCredential {
    this.#mustBeOpen();
    if (permit.credential === null) throw new TypeError('this permit names no credential: do not call use');
    if (!isReceipt(receipt)) throw new TypeError('use needs the receipt of the audit record of the call');
    const { name } = permit.credential;
    if (this.#current.isSuspended(permit.tenant, name)) {
      throw new Refusal('credential_unusable', {
        detail: 'The credential is being changed.',
        retryAfterMs: RETRY_MS,
      });
    }
    const record = this.#current.get(permit.tenant, name);
    assertMayUse(record, permit, permit.credential);
    return toOpenedCredential(record, this.#envelope.open(record));
  }

  onChanged(listener: (changed: CredentialName) => void): () => void {
    return this.#current.onChanged(listener);
  }

  sealBlob(context: string, bytes: Uint8Array): Uint8Array {
    this.#mustBeOpen();
    return this.#envelope.sealBlob(context, bytes);
  }

  openBlob(context: string, blob: Uint8Array): SecretBytes {
    this.#mustBeOpen();
    return this.#envelope.openBlob(context, blob).secret;
  }

  deriveKey(names: readonly string[]): SecretBytes {
    this.#mustBeOpen();
    return this.#keyring.derive(names);
  }

  rotateKeys(by: string): Promise<{ readonly keyId: string; readonly rewrapped: number }> {
    return this.#current.change(async () => {
      this.#mustBeOpen();
      await this.#audit({
        type: 'key.rotated',
        tenant: '*',
        at: this.#clock.now(),
        data: { id: this.#keyring.nextId, by, changes: { key: 'vault' } },
      });
      const keyId = await this.#keyring.rotate();
      let rewrapped = 0;
      for (const record of this.#current.all()) {
        if (record.status === 'active' && (await this.#rewrap(record))) rewrapped++;
      }
      return { keyId, rewrapped };
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#current.stop();
    this.#keyring.close();
  }

  /** False for a row that another node changed meanwhile, or that does not open: it stays as it is. */
  async #rewrap(record: CredentialRecord): Promise<boolean> {
    let renewed: CredentialRecord;
    try {
      renewed = this.#envelope.rewrap(record);
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
    if (!(await this.#store.rewrap(renewed, record.kekId))) return false;
    this.#current.set(renewed);
    return true;
  }

  #seal(
    o: CredentialName & {
      readonly secret: SecretBytes;
      readonly binding: CredentialBinding;
      readonly current: CredentialRecord | null;
      readonly by: string;
    },
  ): CredentialRecord {
    const now = this.#clock.now();
    return this.#envelope.seal(
      {
        tenant: o.tenant,
        id: o.current?.id ?? newId('credential', now),
        name: o.name,
        // Versions go on after a revocation: an approval for version 1 must not fit what is put next.
        version: (o.current?.version ?? 0) + 1,
        binding: o.binding,
        status: 'active',
        createdAt: now,
        createdBy: o.by,
        revokedAt: null,
      },
      o.secret,
    );
  }

  /** Before the change: what can't be recorded does not happen. */
  async #record(
    type: 'credential.put' | 'credential.rotated' | 'credential.revoked' | 'credential.deleted',
    record: CredentialRecord,
    by: string,
    changes: JsonObject,
  ): Promise<void> {
    await this.#audit({
      type,
      tenant: record.tenant,
      at: this.#clock.now(),
      data: { id: record.id, by, changes },
    });
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Refusal('vault_sealed');
  }
}

function unknownName(name: string): Refusal {
  return new Refusal('not_found', { detail: `There is no active credential ${JSON.stringify(name)}.` });
}

function changedMeanwhile(name: string): Refusal {
  return new Refusal('conflict', { detail: `The credential ${JSON.stringify(name)} was changed meanwhile.` });
}
