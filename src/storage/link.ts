import { type Kysely, sql } from 'kysely';
import type { Change } from './dialect/change.ts';
import type { DialectConnection } from './dialect/dialect.ts';
import type { Schema } from './schema.ts';
import type { TransactionGuard } from './transaction-guard.ts';

/** What a store works on: the whole database, or one open transaction. */
export interface Link {
  readonly db: Kysely<Schema>;
  /** All of `work` or nothing. Inside a transaction it is a savepoint. */
  atomically<T>(work: (link: TransactionLink) => Promise<T>): Promise<T>;
}

export interface TransactionLink extends Link {
  /** Followers on every node hear of it when, and only when, the transaction commits. */
  announce(change: Change): Promise<void>;
}

export function rootLink(connection: DialectConnection, guard: TransactionGuard): Link {
  return {
    db: connection.db.withPlugin(guard),
    async atomically(work) {
      guard.assertOutside();
      const changes: Change[] = [];
      const result = await connection
        .transaction()
        .execute((db) => guard.inside(() => work(transactionLink(connection, db, changes))));
      connection.feed.committed(changes);
      return result;
    },
  };
}

function transactionLink(
  connection: DialectConnection,
  db: Kysely<Schema>,
  changes: Change[],
): TransactionLink {
  const link: TransactionLink = {
    db,
    async atomically(work) {
      const known = changes.length;
      await sql`savepoint step`.execute(db);
      try {
        const result = await work(link);
        await sql`release savepoint step`.execute(db);
        return result;
      } catch (cause) {
        changes.length = known;
        await sql`rollback to savepoint step`.execute(db);
        await sql`release savepoint step`.execute(db);
        throw cause;
      }
    },
    async announce(change) {
      changes.push(change);
      await connection.feed.announce(db, change);
    },
  };
  return link;
}
