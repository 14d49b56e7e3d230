import { type AuditEvent, type Clock, LIMITS, newId, Refusal, type Severity } from '../../core/index.ts';
import type { DecoyRecord, DecoyStore } from '../store.ts';
import { BY_GATE, DecoySet } from './decoy-set.ts';
import { makeDecoyValue } from './make-decoy.ts';

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

/** What one session is shown at most: an agent can ask for listings for ever. */
const MAX_IN_SESSION = 8;

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i;

/** Values that nobody has a reason to use, and the search for them. */
export class Decoys {
  readonly #options: DecoyOptions;
  #sets: Map<string, DecoySet> = new Map();
  /** What the store said of itself when it was read last. */
  #mark: string | null = null;
  #reading: Promise<void> = Promise.resolve();
  /** Planted here since the reading that is under way began, which may not have seen them. */
  #justPlanted: DecoyRecord[] = [];

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
    const mark = await this.#options.store.mark();
    if (mark === this.#mark) return;
    this.#justPlanted = [];
    const byTenant = Map.groupBy(await this.#options.store.all(), (decoy) => decoy.tenant);
    const sets = [...byTenant].map(([tenant, decoys]): [string, DecoySet] => {
      const known = this.#sets.get(tenant) ?? null;
      return [tenant, known?.holds(decoys) ? known : new DecoySet(decoys, known)];
    });
    this.#sets = new Map(sets);
    this.#mark = mark;
    for (const decoy of this.#justPlanted) this.#lookFor(decoy);
  }

  /**
   * Plants a decoy of its own in a session, at a place; where it stands already, it is the same one. Null when the session
   * has been shown enough.
   */
  async plantFor(o: {
    readonly tenant: string;
    readonly sid: string;
    readonly name: string;
    /** Where the session will read it: `in the listing of services`. */
    readonly place: string;
  }): Promise<DecoyRecord | null> {
    const { tenant, sid, name, place } = o;
    const by = `${BY_GATE}${place}`;
    const own = this.setOf(tenant)?.ofSession(sid) ?? [];
    const known = own.find((decoy) => decoy.name === name && decoy.plantedBy === by);
    if (known !== undefined) return known;
    if (own.length >= MAX_IN_SESSION) return null;
    const wanted: NewDecoy = { tenant, kind: 'credential', name, sid, severity: 'critical' };
    return this.#insert(wanted, makeDecoyValue('credential', name), by);
  }

  async plant(wanted: NewDecoy, by: string): Promise<DecoyRecord> {
    const value = wanted.value ?? makeDecoyValue(wanted.kind, wanted.name);
    checkDecoy(wanted.name, value);
    const decoy = await this.#insert(wanted, value, by);
    await this.refresh();
    return decoy;
  }

  async #insert(wanted: NewDecoy, value: string, by: string): Promise<DecoyRecord> {
    const { clock, store, audit } = this.#options;
    const now = clock.now();
    const { tenant, kind, name, sid = null, severity } = wanted;
    const id = newId('decoy', now);
    const decoy: DecoyRecord = {
      tenant,
      id,
      kind,
      name,
      value,
      sid,
      severity,
      plantedAt: now,
      plantedBy: by,
    };
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
    // Looked for from here on, before anybody can have read it.
    this.#justPlanted.push(decoy);
    this.#lookFor(decoy);
    return decoy;
  }

  #lookFor(decoy: DecoyRecord): void {
    const set = this.#sets.get(decoy.tenant);
    if (set === undefined) this.#sets.set(decoy.tenant, new DecoySet([decoy]));
    else this.#sets.set(decoy.tenant, set.with(decoy));
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
