import type { TransactionBuilder } from 'kysely';
import type { MigrationTarget } from '../migrations/index.ts';
import type { Schema } from '../schema.ts';
import type { ChangeFeed } from './change.ts';

/** Everything that differs between the databases. One file a database makes one of these. */
export interface DialectConnection extends MigrationTarget {
  readonly feed: ChangeFeed;
  transaction(): TransactionBuilder<Schema>;
  /** Writes a copy of one moment into a new file, mode 0600; null where the server's own tools do that. */
  readonly snapshot: ((file: string) => void) | null;
  close(): Promise<void>;
}
