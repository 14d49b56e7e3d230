import type { Service } from '../core/index.ts';

export interface ServiceStore {
  /** Inserts or replaces; false when one of its origins belongs to another service of the tenant. */
  put(service: Service): Promise<boolean>;
  get(tenant: string, name: string): Promise<Service | null>;
  list(tenant: string): Promise<Service[]>;
  all(): Promise<Service[]>;
  delete(tenant: string, name: string): Promise<boolean>;
  /** Tells of changes made on any node; see RevocationStore.follow. */
  follow(listener: () => void, resync: () => void): Promise<{ stop(): Promise<void> }>;
}
