import type { DatabaseSync } from 'node:sqlite';
import type { TransactionBuilder } from 'kysely';
import type { MigrationTarget } from '../migrations/index.ts';
import type { Schema } from '../schema.ts';
import type { ChangeFeed } from './change.ts';

/** Runs `work` when no transaction is open, and lets nothing else use the connection before it returns. */
export type Exclusively = (work: (database: DatabaseSync) => void) => Promise<void>;

/** Everything that differs between the databases. One file a database makes one of these. */
export interface DialectConnection extends MigrationTarget {
  readonly feed: ChangeFeed;
  transaction(): TransactionBuilder<Schema>;
  /** Null where several connections share the database. */
  readonly exclusively: Exclusively | null;
  /** Writes a copy of one moment into a new file, mode 0600; null where the server's own tools do that. */
  readonly snapshot: ((file: string) => void) | null;
  close(): Promise<void>;
}
