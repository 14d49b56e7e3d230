import { CredentialIndex } from './credential-index.ts';
import { Serial } from './serial.ts';
import type { CredentialRecord, CredentialStore } from './store.ts';
import type { CredentialName } from './vault.ts';

/** How long a look-up that failed waits for the next try. */
export const RETRY_MS = 1000;

/**
 * The current version of every credential, kept in step with the store: with changes made here at once, with
 * those of other nodes as the store tells of them. What can't be known for sure is not used.
 */
export class CurrentCredentials {
  readonly #store: CredentialStore;
  readonly #index = new CredentialIndex();
  readonly #listeners = new Set<(changed: CredentialName) => void>();
  /** Changes and re-reads go one after another: a late read must not bring back what was revoked. */
  readonly #serial = new Serial();
  #follower: { stop(): Promise<void> } | null = null;
  #stopped = false;

  constructor(store: CredentialStore) {
    this.#store = store;
  }

  async start(): Promise<void> {
    this.#follower = await this.#store.follow(
      ({ tenant, name }) => void this.#serial.run(() => this.reread({ tenant, name })),
      () => void this.#serial.run(() => this.#rereadAll()),
    );
    await this.#serial.run(async () => this.#index.replaceAll(await this.#store.allCurrent()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#follower?.stop();
    await this.#serial.idle();
    this.#index.clear();
  }

  get(tenant: string, name: string): CredentialRecord | null {
    return this.#index.get(tenant, name);
  }

  /** True while a change is under way, or the store can't be read. */
  isSuspended(tenant: string, name: string): boolean {
    return this.#index.isStale(tenant, name);
  }

  all(): readonly CredentialRecord[] {
    return this.#index.values();
  }

  /** Runs a change when all earlier ones are through. */
  change<T>(work: () => Promise<T>): Promise<T> {
    return this.#serial.run(work);
  }

  /** A change that takes a right away: from this moment the name is not used, until it was read again. */
  withdraw({ tenant, name }: CredentialName, work: () => Promise<void>): Promise<void> {
    this.#index.markStale(tenant, name);
    return this.#serial.run(async () => {
      try {
        await work();
      } finally {
        await this.reread({ tenant, name });
      }
    });
  }

  /** What stands in the store now; call it inside a change. */
  set(record: CredentialRecord): void {
    this.#put({ tenant: record.tenant, name: record.name }, record);
  }

  /** Call it inside a change. */
  async reread(name: CredentialName): Promise<void> {
    if (this.#stopped) return;
    let record: CredentialRecord | null;
    try {
      record = await this.#store.current(name.tenant, name.name);
    } catch {
      this.#index.markStale(name.tenant, name.name);
      this.#later(() => this.reread(name));
      return;
    }
    this.#put(name, record);
  }

  onChanged(listener: (changed: CredentialName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The feed had a gap: anything may have changed. */
  async #rereadAll(): Promise<void> {
    if (this.#stopped) return;
    let records: CredentialRecord[];
    try {
      records = await this.#store.allCurrent();
    } catch {
      this.#index.markAllStale();
      this.#later(() => this.#rereadAll());
      return;
    }
    for (const changed of this.#index.replaceAll(records)) this.#tell(changed);
  }

  #put(name: CredentialName, record: CredentialRecord | null): void {
    if (this.#index.set(name.tenant, name.name, record)) this.#tell(name);
  }

  #tell(changed: CredentialName): void {
    for (const listener of this.#listeners) listener(changed);
  }

  #later(work: () => Promise<void>): void {
    setTimeout(() => void this.#serial.run(work), RETRY_MS).unref();
  }
}
