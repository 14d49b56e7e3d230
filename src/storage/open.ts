import { sql } from 'kysely';
import { type Clock, Refusal, systemClock, type UnitOfWork } from '../core/index.ts';
import type { DialectConnection } from './dialect/dialect.ts';
import { openPostgres, type PostgresOptions } from './dialect/postgres.ts';
import { openSqlite, type SqliteOptions } from './dialect/sqlite.ts';
import { StorageFault } from './fault.ts';
import { groupedIssues } from './grouped-issues.ts';
import { rootLink } from './link.ts';
import { MIGRATIONS, type Migration, migrate } from './migrations/index.ts';
import { makeStores, type Stores } from './stores/index.ts';
import { TransactionGuard } from './transaction-guard.ts';

export type StorageOptions = (SqliteOptions | PostgresOptions) & {
  readonly clock?: Clock;
  /** Told of faults that no caller waits for: a lost connection, a follower that threw. */
  readonly onFault?: (fault: unknown) => void;
};

export interface Storage extends Stores {
  readonly unitOfWork: UnitOfWork<Stores>;
  /** Writes a copy of one moment into a new file, mode 0600; null for PostgreSQL, which has pg_dump. */
  readonly snapshot: ((file: string) => void) | null;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the database and brings its schema up to date. Throws StorageFault, which names the place, when the
 * database is damaged, foreign, newer than this program, in use by another process, or out of reach.
 */
export function openStorage(options: StorageOptions): Promise<Storage> {
  return openStorageWith(options, MIGRATIONS);
}

/** As openStorage, with the migrations as an argument, so that tests can play an older or newer program. */
export async function openStorageWith(
  options: StorageOptions,
  migrations: readonly Migration[],
): Promise<Storage> {
  const connection = connect(options);
  try {
    await migrate(connection, migrations, options.clock ?? systemClock);
  } catch (cause) {
    await connection.close();
    throw asFault(connection.place, cause);
  }
  const guard = new TransactionGuard();
  const link = rootLink(connection, guard);
  const stores = makeStores(link, connection.feed);
  const { exclusively } = connection;
  return {
    ...stores,
    issues: exclusively === null ? stores.issues : groupedIssues(exclusively, guard),
    unitOfWork: {
      run: (work) => link.atomically((transaction) => work(makeStores(transaction, connection.feed))),
    },
    snapshot: connection.snapshot,
    ping: async () => void (await sql`select 1`.execute(link.db)),
    close: () => connection.close(),
  };
}

function connect(options: StorageOptions): DialectConnection {
  const onFault = options.onFault ?? warn;
  switch (options.kind) {
    case 'sqlite':
      return openSqlite(options, onFault);
    case 'postgres':
      return openPostgres(options, onFault);
  }
}

/** Node reports a refused connection to a name with several addresses as an AggregateError without a message. */
export function asFault(place: string, cause: unknown): StorageFault {
  if (cause instanceof StorageFault) return cause;
  const faults = cause instanceof AggregateError ? cause.errors : [cause];
  const what = faults.map(wordsOf).join('; ');
  return new StorageFault(place, `the database can not be used (${what})`, { cause });
}

function wordsOf(fault: unknown): string {
  if (fault instanceof Refusal) return fault.internal ?? fault.message;
  return fault instanceof Error ? fault.message : String(fault);
}

function warn(fault: unknown): void {
  process.emitWarning(fault instanceof Error ? fault.message : String(fault), 'StorageWarning');
}
