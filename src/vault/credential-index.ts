import type { CredentialRecord } from './store.ts';

/**
 * The current version of every credential, sealed, so that `use` and `describe` need no database. Only
 * ciphertext lies here.
 */
export class CredentialIndex {
  #records = new Map<string, CredentialRecord>();
  /** Names of which the database may know more than we: nothing of them is used until they were read again. */
  readonly #stale = new Set<string>();
  #allStale = false;

  get(tenant: string, name: string): CredentialRecord | null {
    return this.#records.get(keyOf(tenant, name)) ?? null;
  }

  isStale(tenant: string, name: string): boolean {
    return this.#allStale || this.#stale.has(keyOf(tenant, name));
  }

  markStale(tenant: string, name: string): void {
    this.#stale.add(keyOf(tenant, name));
  }

  markAllStale(): void {
    this.#allStale = true;
  }

  /** True when that is news. */
  set(tenant: string, name: string, record: CredentialRecord | null): boolean {
    const key = keyOf(tenant, name);
    const known = this.#records.get(key) ?? null;
    this.#stale.delete(key);
    if (record === null) this.#records.delete(key);
    else this.#records.set(key, record);
    return identity(known) !== identity(record);
  }

  /** Replaces everything; returns the names whose state changed. */
  replaceAll(records: readonly CredentialRecord[]): { tenant: string; name: string }[] {
    const before = this.#records;
    this.#records = new Map(records.map((record) => [keyOf(record.tenant, record.name), record]));
    this.#stale.clear();
    this.#allStale = false;
    const changed: { tenant: string; name: string }[] = [];
    for (const key of new Set([...before.keys(), ...this.#records.keys()])) {
      const known = before.get(key) ?? null;
      const found = this.#records.get(key) ?? null;
      const one = found ?? known;
      if (one !== null && identity(known) !== identity(found)) {
        changed.push({ tenant: one.tenant, name: one.name });
      }
    }
    return changed;
  }

  values(): readonly CredentialRecord[] {
    return [...this.#records.values()];
  }

  clear(): void {
    this.#records.clear();
  }
}

/** Names hold no line end (binding.ts), tenants neither. */
function keyOf(tenant: string, name: string): string {
  return `${tenant}\n${name}`;
}

function identity(record: CredentialRecord | null): string {
  return record === null ? '' : `${record.id} ${record.version} ${record.status}`;
}
