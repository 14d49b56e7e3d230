import type { Config } from '../../config/index.ts';
import { inspectStorage } from '../../storage/index.ts';
import { type Row, rowOf, rowsOf, textOf } from '../output.ts';
import { messageOf } from './finding.ts';
import type { ServiceState } from './service-state.ts';

const TENANT = 'default';
const PAGE = 200;

/** What the database knows, in the few words that the checks need. */
export interface Inventory {
  readonly agents: readonly {
    readonly id: string;
    readonly name: string;
    readonly status: string;
    readonly scopes: readonly string[];
    readonly createdAt: number;
  }[];
  readonly services: readonly { readonly name: string; readonly credential: string | null }[];
  readonly credentials: readonly { readonly name: string; readonly status: string }[];
  readonly decoys: number;
}

/** Database settings as storage takes them. */
export function storageOptions(config: Config) {
  const { storage, paths } = config;
  return storage.kind === 'postgres' && storage.url !== null
    ? ({ kind: 'postgres', url: storage.url } as const)
    : ({ kind: 'sqlite', file: paths.database, durability: storage.durability } as const);
}

/** From the running service, which holds an embedded database for itself, or else from the database. */
export async function takeInventory(config: Config, service: ServiceState): Promise<Inventory | string> {
  try {
    return service.kind === 'ours' ? await askedInventory(service) : await readInventory(config);
  } catch (cause) {
    return messageOf(cause);
  }
}

async function askedInventory({ client }: ServiceState & { kind: 'ours' }): Promise<Inventory> {
  const [agents, services, credentials, decoys] = await Promise.all(
    ['/agents', '/services', '/credentials', '/decoys'].map((path) => client.all(path)),
  );
  return {
    agents: (agents ?? []).map((row) => ({
      id: textOf(row.id),
      name: textOf(row.name),
      status: textOf(row.status),
      scopes: Array.isArray(row.scopes) ? row.scopes.map(String) : [],
      createdAt: Number(row.createdAt),
    })),
    services: (services ?? []).map((row) => ({ name: textOf(row.name), credential: named(row) })),
    credentials: (credentials ?? []).map((row) => ({ name: textOf(row.name), status: textOf(row.status) })),
    decoys: decoys?.length ?? 0,
  };
}

function named(row: Row): string | null {
  return typeof row.credential === 'string' ? row.credential : null;
}

async function readInventory(config: Config): Promise<Inventory | string> {
  const found = await inspectStorage(storageOptions(config));
  if (found === null) return 'There is no database yet.';
  try {
    if (found.missingMigrations > 0)
      return 'The database has an older schema; the next start brings it up to date.';
    const { stores } = found;
    const [agents, services, credentials, decoys] = await Promise.all([
      allPages(
        (after) => stores.agents.list(TENANT, { after, limit: PAGE }),
        ({ id }) => id,
      ),
      stores.services.list(TENANT),
      allPages(
        (after) => stores.credentials.list(TENANT, { after, limit: PAGE }),
        ({ name }) => name,
      ),
      stores.decoys.list(TENANT),
    ]);
    return { agents, services, credentials, decoys: decoys.length };
  } finally {
    await found.close();
  }
}

async function allPages<T>(
  fetch: (after: string | null) => Promise<readonly T[]>,
  cursorOf: (item: T) => string,
): Promise<readonly T[]> {
  const items: T[] = [];
  for (;;) {
    const last = items.at(-1);
    const page = await fetch(last === undefined ? null : cursorOf(last));
    items.push(...page);
    if (page.length < PAGE) return items;
  }
}

/** Sentences about what an administrator has weakened, as the running service tells them. */
export function weakenedOf(status: Row): readonly string[] {
  return Array.isArray(status.weakened) ? status.weakened.map(String) : [];
}

/** Faults of the policies in force, as the running service tells them. */
export function policyFaultsOf(status: Row): readonly string[] {
  const { faults } = rowOf(status.policy);
  return Array.isArray(faults) ? faults.map(String) : rowsOf(faults).map(textOf);
}
