import { isReceipt, type Receipt } from '../audit/index.ts';
import {
  type AuditEvent,
  type Clock,
  type JsonObject,
  newId,
  type Origin,
  Refusal,
  type SecretBytes,
} from '../core/index.ts';
import type { Permit } from '../policy/index.ts';
import { checkCredential, secretFaults } from './binding.ts';
import { CredentialIndex } from './credential-index.ts';
import { Envelope } from './envelope.ts';
import { Keyring } from './keyring.ts';
import { type OpenedCredential, toOpenedCredential } from './opened-credential.ts';
import { SecureMemory } from './secure-memory.ts';
import { Serial } from './serial.ts';
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

const RETRY_MS = 1000;

class SealedVault implements Vault {
  readonly #store: CredentialStore;
  readonly #clock: Clock;
  readonly #audit: (event: AuditEvent) => Promise<unknown>;
  readonly #keyring: Keyring;
  readonly #envelope: Envelope;
  readonly #index = new CredentialIndex();
  readonly #listeners = new Set<(changed: CredentialName) => void>();
  /** Changes and re-reads go one after another: a late read must not bring back what was revoked. */
  readonly #serial = new Serial();
  #follower: { stop(): Promise<void> } | null = null;
  #closed = false;

  constructor(options: VaultOptions, keyring: Keyring) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#audit = options.audit;
    this.#keyring = keyring;
    this.#envelope = new Envelope(keyring, new SecureMemory());
  }

  async start(): Promise<void> {
    this.#follower = await this.#store.follow(
      ({ tenant, name }) => void this.#reread({ tenant, name }),
      () => void this.#rereadAll(),
    );
    await this.#serial.run(async () => this.#index.replaceAll(await this.#store.allCurrent()));
  }

  put(
    o: CredentialName & { readonly secret: SecretBytes; readonly binding: CredentialBinding },
    by: string,
  ): Promise<CredentialView> {
    return this.#serial.run(async () => {
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
      this.#changed(record, record);
      return toView(record);
    });
  }

  rotate(o: CredentialName & { readonly secret: SecretBytes }, by: string): Promise<CredentialView> {
    return this.#serial.run(async () => {
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
      this.#changed(record, record);
      return toView(record);
    });
  }

  revoke({ tenant, name }: CredentialName, by: string): Promise<void> {
    // Before anything is awaited: calls that come while the database works must not pass.
    this.#index.markStale(tenant, name);
    return this.#serial.run(async () => {
      try {
        const current = await this.#store.current(tenant, name);
        if (current === null || current.status === 'revoked') throw unknownName(name);
        await this.#record('credential.revoked', current, by, { name, version: current.version });
        await this.#store.revoke(tenant, name, this.#clock.now());
      } finally {
        await this.#readInto({ tenant, name });
      }
    });
  }

  delete({ tenant, name }: CredentialName, by: string): Promise<void> {
    this.#index.markStale(tenant, name);
    return this.#serial.run(async () => {
      try {
        const current = await this.#store.current(tenant, name);
        if (current === null) throw unknownName(name);
        await this.#record('credential.deleted', current, by, { name, version: current.version });
        await this.#store.delete(tenant, name);
      } finally {
        await this.#readInto({ tenant, name });
      }
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
    const record = this.#index.get(tenant, name);
    return record === null ? null : toView(record);
  }

  use(permit: Permit, receipt: Receipt): OpenedCredential {
    this.#mustBeOpen();
    if (permit.credential === null) throw new TypeError('this permit names no credential: do not call use');
    if (!isReceipt(receipt)) throw new TypeError('use needs the receipt of the audit record of the call');
    const { name, version } = permit.credential;
    const record = this.#index.get(permit.tenant, name);
    if (this.#index.isStale(permit.tenant, name)) {
      throw new Refusal('credential_unusable', {
        detail: 'The credential is being changed.',
        retryAfterMs: RETRY_MS,
      });
    }
    if (record === null) throw new Refusal('credential_missing', { internal: name });
    if (record.status !== 'active' || record.revokedAt !== null) {
      throw new Refusal('credential_revoked', { internal: name });
    }
    if (record.version !== version) {
      throw new Refusal('credential_revoked', {
        detail: 'The credential was rotated while the call was decided; repeat the call.',
        internal: `${name}: permit for version ${version}, current is ${record.version}`,
        retryAfterMs: 0,
      });
    }
    if (!record.binding.destinations.some((origin) => sameOrigin(origin, permit.origin))) {
      throw new Refusal('credential_destination', { internal: name });
    }
    return toOpenedCredential(record, this.#envelope.open(record));
  }

  onChanged(listener: (changed: CredentialName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  sealBlob(context: string, bytes: Uint8Array): Uint8Array {
    this.#mustBeOpen();
    return this.#envelope.sealBlob(context, bytes);
  }

  openBlob(context: string, blob: Uint8Array): SecretBytes {
    this.#mustBeOpen();
    return this.#envelope.openBlob(context, blob).secret;
  }

  rotateKeys(by: string): Promise<{ readonly keyId: string; readonly rewrapped: number }> {
    return this.#serial.run(async () => {
      this.#mustBeOpen();
      const keyId = await this.#keyring.rotate();
      await this.#audit({
        type: 'key.rotated',
        tenant: '*',
        at: this.#clock.now(),
        data: { id: keyId, by, changes: { key: 'vault' } },
      });
      let rewrapped = 0;
      for (const record of this.#index.values()) {
        if (record.status !== 'active' || record.kekId === keyId) continue;
        const renewed = this.#envelope.rewrap(record);
        // A row that another node changed meanwhile is wrapped with a fresh key anyway.
        if (!(await this.#store.rewrap(renewed, record.kekId))) continue;
        this.#index.set(record.tenant, record.name, renewed);
        rewrapped++;
      }
      return { keyId, rewrapped };
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#follower?.stop();
    await this.#serial.idle();
    this.#index.clear();
    this.#keyring.close();
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

  #changed(name: CredentialName, record: CredentialRecord | null): void {
    const { tenant } = name;
    if (!this.#index.set(tenant, name.name, record)) return;
    this.#tell({ tenant, name: name.name });
  }

  #tell(changed: CredentialName): void {
    for (const listener of this.#listeners) listener(changed);
  }

  #reread(name: CredentialName): Promise<void> {
    return this.#serial.run(() => this.#readInto(name));
  }

  /** What can't be read is not used, and is read again. */
  async #readInto(name: CredentialName): Promise<void> {
    if (this.#closed) return;
    let record: CredentialRecord | null;
    try {
      record = await this.#store.current(name.tenant, name.name);
    } catch {
      this.#index.markStale(name.tenant, name.name);
      this.#later(() => this.#reread(name));
      return;
    }
    this.#changed(name, record);
  }

  /** The feed had a gap: anything may have changed. */
  #rereadAll(): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#closed) return;
      let records: CredentialRecord[];
      try {
        records = await this.#store.allCurrent();
      } catch {
        this.#index.markAllStale();
        this.#later(() => this.#rereadAll());
        return;
      }
      for (const changed of this.#index.replaceAll(records)) this.#tell(changed);
    });
  }

  #later(work: () => Promise<void>): void {
    setTimeout(() => void work(), RETRY_MS).unref();
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Refusal('vault_sealed');
  }
}

function sameOrigin(one: Origin, other: Origin | null): boolean {
  return other !== null && one.scheme === other.scheme && one.host === other.host && one.port === other.port;
}

function unknownName(name: string): Refusal {
  return new Refusal('not_found', { detail: `There is no active credential ${JSON.stringify(name)}.` });
}

function changedMeanwhile(name: string): Refusal {
  return new Refusal('conflict', { detail: `The credential ${JSON.stringify(name)} was changed meanwhile.` });
}
