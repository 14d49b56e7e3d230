import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

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
      const statement = kept.get(text) ?? adapt(database.prepare(text));
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

function adapt(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...parameters.map(toSqlite)),
    run: (parameters) => statement.run(...parameters.map(toSqlite)),
    iterate: (parameters) => statement.iterate(...parameters.map(toSqlite)),
  };
}

function toSqlite(value: unknown): string | number | null | Uint8Array {
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value;
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`a store gave a ${typeof value} where SQLite takes text, numbers, bytes and null`);
}
