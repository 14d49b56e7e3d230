import type { Kysely, TransactionBuilder } from 'kysely';
import type { MigrationTarget } from '../migrations/index.ts';
import type { Schema } from '../schema.ts';
import type { ChangeFeed } from './change.ts';

/** Everything that differs between the databases. One file a database makes one of these. */
export interface DialectConnection extends MigrationTarget {
  readonly feed: ChangeFeed;
  transaction(): TransactionBuilder<Schema>;
  /**
   * Runs a statement whose loss in a power cut is harmless, without waiting for the disk where the database
   * lets us choose. It still survives the death of the process.
   */
  withoutSync<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
