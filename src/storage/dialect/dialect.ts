import type { TransactionBuilder } from 'kysely';
import type { MigrationTarget } from '../migrations/index.ts';
import type { Schema } from '../schema.ts';
import type { ChangeFeed } from './change.ts';

/** Everything that differs between the databases. One file a database makes one of these. */
export interface DialectConnection extends MigrationTarget {
  readonly feed: ChangeFeed;
  transaction(): TransactionBuilder<Schema>;
  close(): Promise<void>;
}
