import { existsSync } from 'node:fs';
import { openPostgres } from './dialect/postgres.ts';
import { openSqliteForReading } from './dialect/sqlite.ts';
import { rootLink } from './link.ts';
import { countMissing, MIGRATIONS } from './migrations/index.ts';
import { asFault, type StorageOptions } from './open.ts';
import { makeStores, type Stores } from './stores/index.ts';
import { TransactionGuard } from './transaction-guard.ts';

/** A database that is looked at. */
interface Inspection {
  /** Migrations that the next start will run; the stores can be asked when it is 0. */
  readonly missingMigrations: number;
  /** For reading: they are not guarded against more, but an embedded database is opened read-only. */
  readonly stores: Stores;
  close(): Promise<void>;
}

/**
 * Looks at the database without changing it; null when there is none yet. Throws StorageFault as `openStorage`
 * does: also when a running gate holds an embedded one.
 */
export async function inspectStorage(options: StorageOptions): Promise<Inspection | null> {
  if (options.kind === 'sqlite' && !existsSync(options.file)) return null;
  const onFault = options.onFault ?? (() => undefined);
  const connection =
    options.kind === 'sqlite'
      ? openSqliteForReading(options.file, onFault)
      : openPostgres({ ...options, connections: 1 }, onFault);
  try {
    const missingMigrations = await countMissing(connection, MIGRATIONS);
    const stores = makeStores(rootLink(connection, new TransactionGuard()), connection.feed);
    return { missingMigrations, stores, close: () => connection.close() };
  } catch (cause) {
    await connection.close();
    throw asFault(connection.place, cause);
  }
}
