import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import { unavailable } from '../fault.ts';
import { isDiskFault } from './sqlite-codes.ts';

/** Kysely makes the same text for the same query, and the stores have about a hundred; bulk inserts add some. */
const STATEMENTS_KEPT = 256;

/**
 * node:sqlite in the shape that Kysely's SQLite driver expects. Keeps prepared statements: preparing costs
 * more than running for the look-ups of every call.
 */
export function preparedStatements(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>();
  return {
    prepare(text) {
      const statement = kept.get(text) ?? adapt(database, text);
      // Put back at the end, so that the first key is the one used longest ago.
      kept.delete(text);
      kept.set(text, statement);
      if (kept.size > STATEMENTS_KEPT) {
        for (const oldest of kept.keys()) {
          kept.delete(oldest);
          break;
        }
      }
      return statement;
    },
    close() {
      kept.clear();
      database.close();
    },
  };
}

/** What a full or failing disk ends by itself: SQLite rolls the transaction back before it tells of the fault. */
const ROLLBACK = /^(rollback|release savepoint)\b/i;

function adapt(database: DatabaseSync, text: string): SqliteStatement {
  const statement = database.prepare(text);
  if (ROLLBACK.test(text)) return ending(database, statement);
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => reaching(() => statement.all(...parameters.map(toSqlite))),
    run: (parameters) => reaching(() => statement.run(...parameters.map(toSqlite))),
    iterate: (parameters) => reaching(() => statement.iterate(...parameters.map(toSqlite))),
  };
}

/** Without this the complaint that there is nothing to roll back would hide why it was rolled back. */
function ending(database: DatabaseSync, statement: StatementSync): SqliteStatement {
  return {
    reader: false,
    all: () => [],
    run: () => (database.isTransaction ? statement.run() : { changes: 0, lastInsertRowid: 0 }),
    iterate: () => [][Symbol.iterator](),
  };
}

/** A disk that fails is told as such; everything else (a constraint, our own mistake) as SQLite tells it. */
function reaching<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw isDiskFault(cause) ? unavailable(cause) : cause;
  }
}

function toSqlite(value: unknown): string | number | null | Uint8Array {
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value;
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`a store gave a ${typeof value} where SQLite takes text, numbers, bytes and null`);
}
