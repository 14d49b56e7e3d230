import {
  type AuditEvent,
  type Clock,
  formatOrigin,
  type JsonObject,
  type Origin,
  Refusal,
  type Service,
  type ServiceDirectory,
} from '../../core/index.ts';
import type { ServiceStore } from '../store.ts';
import { parseService } from './definition.ts';

export interface ServiceRegistryOptions {
  readonly store: ServiceStore;
  readonly clock: Clock;
  /** Resolves when the record is durable. */
  readonly audit: (event: AuditEvent) => Promise<unknown>;
}

/**
 * The services that the gate knows, in memory: every look-up of the data plane is one `Map.get`. Changes of
 * this node count when `put` or `delete` resolve, those of other nodes when the store tells of them.
 */
export class ServiceRegistry implements ServiceDirectory {
  readonly #options: ServiceRegistryOptions;
  readonly #listeners = new Set<() => void>();
  #byName: ReadonlyMap<string, Service> = new Map();
  #byOrigin: ReadonlyMap<string, Service> = new Map();
  #generation = 0;
  #loading: Promise<void> = Promise.resolve();
  #following: { stop(): Promise<void> } | null = null;

  static async open(options: ServiceRegistryOptions): Promise<ServiceRegistry> {
    const registry = new ServiceRegistry(options);
    const reload = () => {
      // A store that can't be read keeps the last known services in force; the next change reads again.
      registry.#load().catch(() => undefined);
    };
    registry.#following = await options.store.follow(reload, reload);
    await registry.#load();
    return registry;
  }

  private constructor(options: ServiceRegistryOptions) {
    this.#options = options;
  }

  get generation(): number {
    return this.#generation;
  }

  byName(tenant: string, name: string): Service | null {
    return this.#byName.get(`${tenant}\n${name}`) ?? null;
  }

  byOrigin(tenant: string, origin: Origin): Service | null {
    return this.#byOrigin.get(`${tenant}\n${formatOrigin(origin)}`) ?? null;
  }

  async list(tenant: string): Promise<readonly Service[]> {
    return [...this.#byName.values()].filter((service) => service.tenant === tenant);
  }

  all(): readonly Service[] {
    return [...this.#byName.values()];
  }

  /** Adds or replaces. Throws `input_invalid`, `conflict` (an origin belongs to another service). */
  async put(input: unknown, by: string): Promise<Service> {
    const service = parseService(input);
    await this.#recordChange('service.put', service.tenant, service.name, by, describe(service));
    if (!(await this.#options.store.put(service))) {
      throw new Refusal('conflict', { detail: 'One of the origins belongs to another service.' });
    }
    await this.#load();
    return service;
  }

  /** Throws `not_found`. */
  async delete(
    { tenant, name }: { readonly tenant: string; readonly name: string },
    by: string,
  ): Promise<void> {
    if (this.byName(tenant, name) === null)
      throw new Refusal('not_found', { detail: 'There is no such service.' });
    await this.#recordChange('service.deleted', tenant, name, by, {});
    await this.#options.store.delete(tenant, name);
    await this.#load();
  }

  /** Tells of every change, after it is in force. Returns the way to stop. */
  onChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.#following?.stop();
    this.#listeners.clear();
  }

  /** One load at a time, and the last one begins after the last change. */
  #load(): Promise<void> {
    const next = this.#loading.catch(() => undefined).then(() => this.#read());
    this.#loading = next;
    return next;
  }

  async #read(): Promise<void> {
    const byName = new Map<string, Service>();
    const byOrigin = new Map<string, Service>();
    for (const service of await this.#options.store.all()) {
      byName.set(`${service.tenant}\n${service.name}`, Object.freeze(service));
      for (const origin of service.origins)
        byOrigin.set(`${service.tenant}\n${formatOrigin(origin)}`, service);
    }
    this.#byName = byName;
    this.#byOrigin = byOrigin;
    this.#generation += 1;
    for (const listener of this.#listeners) listener();
  }

  #recordChange(
    type: 'service.put' | 'service.deleted',
    tenant: string,
    id: string,
    by: string,
    changes: JsonObject,
  ): Promise<unknown> {
    return this.#options.audit({ type, tenant, at: this.#options.clock.now(), data: { id, by, changes } });
  }
}

function describe(service: Service): JsonObject {
  return {
    origins: service.origins.map(formatOrigin),
    credential: service.credential,
    encodedSlash: service.encodedSlash,
    allowPrivate: service.allowPrivate,
    upstreamCa: service.upstreamCa !== null,
    inspectBody: service.inspectBody,
  };
}
