import type { Receipt } from '../audit/index.ts';
import {
  type AuditEvent,
  type Clock,
  type JsonObject,
  newId,
  Refusal,
  type SecretBytes,
  type Severity,
} from '../core/index.ts';
import { attempt, type Sealer, sealContext } from './attempt.ts';
import { testMessage } from './message.ts';
import { decodeKeys, encodeKeys, generateSecret, keyOf, wipeKeys } from './signing-keys.ts';
import { SINK_KINDS } from './sinks/index.ts';
import type { Attempt, SinkTools } from './sinks/sink-kind.ts';
import type { SinkRecord, SinkStore } from './store.ts';

/** Each alert makes a delivery for each sink that wants it; this bounds the work of one alert. */
const MAX_SINKS = 50;
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const DEFAULT_OVERLAP_MS = 24 * 60 * 60 * 1000;

/** A sink as administrators see it: never its secret. */
export interface SinkView {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly options: JsonObject;
  readonly minSeverity: Severity;
  readonly status: 'active' | 'disabled';
  readonly signs: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface NewSink {
  readonly tenant: string;
  /** Unique in the tenant. */
  readonly name: string;
  /** `webhook` or `file`. */
  readonly kind: string;
  readonly options: JsonObject;
  /** Alerts below it are not sent. */
  readonly minSeverity: Severity;
  /** `whsec_…`; one is made when none is given. Only for sinks that sign. */
  readonly secret?: SecretBytes | null;
}

export interface SinksOptions {
  readonly store: SinkStore;
  readonly sealer: Sealer;
  readonly tools: SinkTools;
  readonly audit: (event: AuditEvent) => Promise<Receipt>;
  readonly clock: Clock;
}

type SinkChange =
  | 'sink.put'
  | 'sink.deleted'
  | 'sink.rotated'
  | 'sink.enabled'
  | 'sink.disabled'
  | 'sink.tested';

/** The sinks and their management. Each change is in the audit log before it is made. */
export class Sinks {
  readonly #o: SinksOptions;

  constructor(options: SinksOptions) {
    this.#o = options;
  }

  /**
   * Adds a sink. `secret` in the answer is the generated one, to be shown this once; null when there is none or
   * the administrator gave his own. Throws Refusal `input_invalid` and `conflict`.
   */
  async put(sink: NewSink, by: string): Promise<{ sink: SinkView; secret: SecretBytes | null }> {
    const kind = SINK_KINDS.get(sink.kind);
    if (kind === undefined)
      throw invalid(`The kind of a sink is one of: ${[...SINK_KINDS.keys()].join(', ')}.`);
    if (!NAME.test(sink.name))
      throw invalid('The name is lower-case letters, digits and hyphens, at most 63.');
    const given = sink.secret ?? null;
    if (given !== null && !kind.signs) throw invalid(`A sink of kind ${sink.kind} has no secret.`);
    const options = kind.parseOptions(sink.options);
    const others = await this.#o.store.list(sink.tenant);
    if (others.some(({ name }) => name === sink.name)) throw taken(sink.name);
    if (others.length >= MAX_SINKS) throw invalid(`There are ${MAX_SINKS} sinks already; delete one first.`);

    const now = this.#o.clock.now();
    const id = newId('sink', now);
    const generated = kind.signs && given === null ? generateSecret() : null;
    const secret = given ?? generated;
    const record: SinkRecord = {
      tenant: sink.tenant,
      id,
      name: sink.name,
      kind: sink.kind,
      options,
      sealedSecret: secret === null ? null : this.#sealFirst({ tenant: sink.tenant, id }, secret),
      minSeverity: sink.minSeverity,
      status: 'active',
      createdAt: now,
    };
    const { name, minSeverity } = record;
    const changes = { name, kind: sink.kind, options, minSeverity, ...(secret && { secret: '[secret]' }) };
    await this.#audit('sink.put', record, by, changes);
    if (!(await this.#o.store.insert(record))) throw taken(sink.name);
    return { sink: view(record), secret: generated };
  }

  async list(tenant: string): Promise<SinkView[]> {
    return (await this.#o.store.list(tenant)).map(view);
  }

  /** Throws Refusal `not_found`. */
  async get(tenant: string, id: string): Promise<SinkView> {
    return view(await this.#find(tenant, id));
  }

  async delete(tenant: string, id: string, by: string): Promise<void> {
    const sink = await this.#find(tenant, id);
    await this.#audit('sink.deleted', sink, by, { name: sink.name });
    await this.#o.store.delete(tenant, id);
  }

  async setStatus(tenant: string, id: string, status: 'active' | 'disabled', by: string): Promise<SinkView> {
    const sink = await this.#find(tenant, id);
    await this.#audit(status === 'active' ? 'sink.enabled' : 'sink.disabled', sink, by, { name: sink.name });
    await this.#o.store.setStatus(tenant, id, status);
    return view({ ...sink, status });
  }

  /**
   * Gives a sink a new secret. Until `overlapMs` have passed (a day by default) both sign, so that the receiver
   * can change at its own time. The answer is the new secret when it was generated, to be shown this once.
   */
  async rotateSecret(
    o: {
      readonly tenant: string;
      readonly id: string;
      readonly secret?: SecretBytes;
      readonly overlapMs?: number;
    },
    by: string,
  ): Promise<SecretBytes | null> {
    const sink = await this.#find(o.tenant, o.id);
    if (sink.sealedSecret === null) throw invalid(`A sink of kind ${sink.kind} has no secret.`);
    const generated = o.secret === undefined ? generateSecret() : null;
    const key = keyOf(o.secret ?? generated ?? generateSecret());
    using opened = this.#o.sealer.open(sealContext(sink), sink.sealedSecret);
    const before = decodeKeys(opened);
    const until = this.#o.clock.now() + (o.overlapMs ?? DEFAULT_OVERLAP_MS);
    const keys = { current: key, previous: { key: before.current, until } };
    using encoded = encodeKeys(keys);
    const sealed = encoded.use((bytes) => this.#o.sealer.seal(sealContext(sink), bytes));
    wipeKeys(before);
    wipeKeys(keys);
    await this.#audit('sink.rotated', sink, by, { name: sink.name, secret: '[secret]' });
    if (!(await this.#o.store.setSecret(o.tenant, o.id, sealed))) throw missing();
    return generated;
  }

  /** Sends one message of type `alert.test` at once and tells how it went. */
  async test(tenant: string, id: string, by: string): Promise<Attempt> {
    const sink = await this.#find(tenant, id);
    const now = this.#o.clock.now();
    const message = testMessage({ alertId: newId('alert', now), tenant, now });
    const { tools, sealer } = this.#o;
    const result = await attempt({ sink, message, tools, open: (...sealed) => sealer.open(...sealed), now });
    await this.#audit('sink.tested', sink, by, { name: sink.name, outcome: result.outcome });
    return result;
  }

  #sealFirst(sink: { readonly tenant: string; readonly id: string }, secret: SecretBytes): Uint8Array {
    const keys = { current: keyOf(secret), previous: null };
    using encoded = encodeKeys(keys);
    wipeKeys(keys);
    return encoded.use((bytes) => this.#o.sealer.seal(sealContext(sink), bytes));
  }

  async #find(tenant: string, id: string): Promise<SinkRecord> {
    const sink = await this.#o.store.get(tenant, id);
    if (sink === null) throw missing();
    return sink;
  }

  async #audit(type: SinkChange, sink: SinkRecord, by: string, changes: JsonObject): Promise<void> {
    const data = { id: sink.id, by, changes };
    await this.#o.audit({ type, tenant: sink.tenant, at: this.#o.clock.now(), data });
  }
}

function view({ sealedSecret, tenant: _, ...sink }: SinkRecord): SinkView {
  return { ...sink, signs: sealedSecret !== null };
}

function invalid(detail: string): Refusal {
  return new Refusal('input_invalid', { detail });
}

function taken(name: string): Refusal {
  return new Refusal('conflict', { detail: `There is a sink named ${name} already; delete it first.` });
}

function missing(): Refusal {
  return new Refusal('not_found', { detail: 'There is no such sink.' });
}
