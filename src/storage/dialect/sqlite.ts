import { DatabaseSync } from 'node:sqlite';
import { Kysely, SqliteDialect } from 'kysely';
import { StorageFault } from '../fault.ts';
import type { Schema } from '../schema.ts';
import { type ChangeFeed, type Follower, tellAll } from './change.ts';
import type { DialectConnection } from './dialect.ts';
import { codeOf, isDiskFault, SQLITE } from './sqlite-codes.ts';
import { assertOurs, checkContent, damaged, prepareFile, snapshotInto } from './sqlite-file.ts';
import { preparedStatements } from './sqlite-statements.ts';

/** How long a start waits for a process that is just ending and still holds the file. */
const BUSY_TIMEOUT_MS = 5_000;

/** In the write-ahead log, FULL waits for the disk at each commit; NORMAL survives the death of the process. */
const SYNCHRONOUS = { power: 'full', process: 'normal' } as const;

export interface SqliteOptions {
  readonly kind: 'sqlite';
  readonly file: string;
  /** What an acknowledged change survives: a power cut, or the death of the process alone. */
  readonly durability: 'power' | 'process';
}

/** Opens the file for this process alone. Throws StorageFault when it can't be used. */
export function openSqlite(options: SqliteOptions, onFault: (fault: unknown) => void): DialectConnection {
  return connection(openDatabase(options), options.file, onFault);
}

/**
 * Opens a file that no process holds, to look at it: nothing is written, no schema is changed. Throws StorageFault
 * when it is damaged, foreign or in use.
 */
export function openSqliteForReading(file: string, onFault: (fault: unknown) => void): DialectConnection {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(file, { timeout: 0, readOnly: true, defensive: true });
    assertOurs(database, file);
    return connection(database, file, onFault);
  } catch (cause) {
    database?.close();
    throw describe(file, cause);
  }
}

function connection(
  database: DatabaseSync,
  file: string,
  onFault: (fault: unknown) => void,
): DialectConnection {
  const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database: preparedStatements(database) }) });
  return {
    place: file,
    db,
    words: { text: 'text', integer: 'integer', real: 'real', bytes: 'blob', options: ' strict' },
    // The file is locked for this process already.
    lock: async () => {},
    feed: localFeed(onFault),
    snapshot: (target) => snapshotInto(database, target),
    transaction: () => db.transaction(),
    exclusively: (work) => db.connection().execute(async () => work(database)),
    async close() {
      await db.destroy();
      // Kysely closes only what it has used; closing twice would throw.
      if (database.isOpen) database.close();
    },
  };
}

function openDatabase({ file, durability }: SqliteOptions): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    prepareFile(file);
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, defensive: true });
    // A second process on the file would not hear of revocations made here, so there is never one. The lock
    // dies with the process.
    database.exec('pragma locking_mode = exclusive');
    database.exec('pragma journal_mode = wal');
    database.exec('begin exclusive; commit');
    database.exec(`pragma synchronous = ${SYNCHRONOUS[durability]}`);
    database.exec('pragma foreign_keys = on');
    // What is deleted (superseded and revoked ciphertexts above all) is overwritten, not just unlinked.
    database.exec('pragma secure_delete = on');
    checkContent(database, file);
    return database;
  } catch (cause) {
    database?.close();
    throw describe(file, cause);
  }
}

function describe(file: string, cause: unknown): unknown {
  if (cause instanceof StorageFault || !(cause instanceof Error)) return cause;
  const code = codeOf(cause);
  if (code === SQLITE.busy || code === SQLITE.locked) {
    return new StorageFault(file, 'in use by another process; stop the other Sallyport first', { cause });
  }
  if (code === SQLITE.notADb) {
    return new StorageFault(file, 'not an SQLite database; move it away, or restore a backup', { cause });
  }
  if (code === SQLITE.corrupt) return damaged(file, cause.message, cause);
  if (isDiskFault(cause)) {
    const what = `can not be written (${cause.message}); check free space, and owner and mode of the file and its folder`;
    return new StorageFault(file, what, { cause });
  }
  return new StorageFault(file, cause.message, { cause });
}

/** One process holds the file, so everyone who follows is here. */
function localFeed(onFault: (fault: unknown) => void): ChangeFeed {
  const followers = new Set<Follower>();
  return {
    announce: async () => {},
    committed(changes) {
      for (const change of changes) tellAll(followers, (follower) => follower.onChange(change), onFault);
    },
    async follow(follower) {
      followers.add(follower);
      return {
        async stop() {
          followers.delete(follower);
        },
      };
    },
  };
}
