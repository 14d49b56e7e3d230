import { type AuditEvent, type Clock, LIMITS, newId, Refusal, type Severity } from '../core/index.ts';
import { DecoySet } from './decoy-set.ts';
import { makeDecoyValue } from './make-decoy.ts';
import type { DecoyRecord, DecoyStore } from './store.ts';

export interface DecoyOptions {
  readonly store: DecoyStore;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
}

export interface NewDecoy {
  readonly tenant: string;
  readonly kind: DecoyRecord['kind'];
  readonly name: string;
  /** Made when none is given. */
  readonly value?: string;
  readonly sid?: string | null;
  readonly severity: Severity;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i;

/** Values that nobody has a reason to use, and the search for them. */
export class Decoys {
  readonly #options: DecoyOptions;
  #sets: ReadonlyMap<string, DecoySet> = new Map();
  #reading: Promise<void> = Promise.resolve();

  private constructor(options: DecoyOptions) {
    this.#options = options;
  }

  static async open(options: DecoyOptions): Promise<Decoys> {
    const decoys = new Decoys(options);
    await decoys.refresh();
    return decoys;
  }

  /** Null when the tenant has none. */
  setOf(tenant: string): DecoySet | null {
    return this.#sets.get(tenant) ?? null;
  }

  /** Reads them anew: other nodes plant, too. One after another, so that no older answer overtakes a newer one. */
  refresh(): Promise<void> {
    const reading = this.#reading.then(() => this.#read());
    this.#reading = reading.catch(() => {});
    return reading;
  }

  async #read(): Promise<void> {
    const byTenant = Map.groupBy(await this.#options.store.all(), (decoy) => decoy.tenant);
    const sets = [...byTenant].map(([tenant, decoys]): [string, DecoySet] => {
      const known = this.#sets.get(tenant);
      return [tenant, known?.holds(decoys) ? known : new DecoySet(decoys)];
    });
    this.#sets = new Map(sets);
  }

  async plant(wanted: NewDecoy, by: string): Promise<DecoyRecord> {
    const { clock, store, audit } = this.#options;
    const value = wanted.value ?? makeDecoyValue(wanted.kind, wanted.name);
    checkDecoy(wanted.name, value);
    const now = clock.now();
    const decoy: DecoyRecord = {
      tenant: wanted.tenant,
      id: newId('decoy', now),
      kind: wanted.kind,
      name: wanted.name,
      value,
      sid: wanted.sid ?? null,
      severity: wanted.severity,
      plantedAt: now,
      plantedBy: by,
    };
    const { tenant, id, kind, name, sid, severity } = decoy;
    await audit({
      type: 'decoy.planted',
      tenant,
      at: now,
      data: { id, by, changes: { kind, name, sid, severity } },
    });
    if (!(await store.insert(decoy))) {
      throw new Refusal('conflict', {
        detail: `There is a decoy with the name ${JSON.stringify(name)} or this value already.`,
      });
    }
    await this.refresh();
    return decoy;
  }

  list(tenant: string): Promise<readonly DecoyRecord[]> {
    return this.#options.store.list(tenant);
  }

  async remove(tenant: string, id: string, by: string): Promise<void> {
    const { clock, store, audit } = this.#options;
    const known = this.setOf(tenant)?.decoys.find((decoy) => decoy.id === id);
    if (known === undefined)
      throw new Refusal('not_found', { detail: `There is no decoy ${JSON.stringify(id)}.` });
    await audit({
      type: 'decoy.deleted',
      tenant,
      at: clock.now(),
      data: { id, by, changes: { name: known.name } },
    });
    await store.delete(tenant, id);
    await this.refresh();
  }
}

function checkDecoy(name: string, value: string): void {
  const errors: string[] = [];
  const bytes = Buffer.byteLength(value);
  if (!NAME.test(name)) errors.push('name: 1 to 63 letters, digits, dots, dashes or underscores');
  if (bytes < LIMITS.secretMinBytes)
    errors.push(`value: at least ${LIMITS.secretMinBytes} bytes, or it is found by chance`);
  if (bytes > LIMITS.secretMaxBytes) errors.push(`value: at most ${LIMITS.secretMaxBytes} bytes`);
  if (errors.length > 0) {
    throw new Refusal('input_invalid', {
      detail: `The decoy can not be planted: ${errors.join('; ')}.`,
      extra: { errors },
    });
  }
}
