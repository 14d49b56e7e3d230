import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Clock } from '../../core/index.ts';
import { StorageFault } from '../fault.ts';
import type { Schema } from '../schema.ts';
import type { Migration, SchemaWords } from './migration.ts';

/** Where the migrations run; `lock` keeps every other node and process out until the transaction ends. */
export interface MigrationTarget {
  readonly place: string;
  readonly db: Kysely<Schema>;
  readonly words: SchemaWords;
  lock(transaction: Kysely<Schema>): Promise<void>;
}

/**
 * Brings the schema to the newest migration, in one transaction: a crash leaves the old schema whole.
 * Throws StorageFault when the database was written by a newer program, or when a migration that it has had
 * is not the one that this program knows.
 */
export async function migrate(
  target: MigrationTarget,
  migrations: readonly Migration[],
  clock: Clock,
): Promise<void> {
  await target.db.transaction().execute(async (transaction) => {
    await target.lock(transaction);
    const { integer, text, options } = target.words;
    await sql
      .raw(
        `create table if not exists sallyport_migrations (
          number ${integer} primary key, name ${text} not null, checksum ${text} not null,
          applied_at ${integer} not null
        )${options}`,
      )
      .execute(transaction);
    const applied = await transaction
      .selectFrom('sallyport_migrations')
      .select(['number', 'name', 'checksum'])
      .orderBy('number')
      .execute();
    checkHistory(target, migrations, applied);
    for (const migration of migrations.slice(applied.length)) {
      for (const statement of migration.statements(target.words)) {
        await sql.raw(statement).execute(transaction);
      }
      await transaction
        .insertInto('sallyport_migrations')
        .values({
          number: migration.number,
          name: migration.name,
          checksum: checksumOf(migration, target.words),
          applied_at: clock.now(),
        })
        .execute();
    }
  });
}

/**
 * How many migrations the schema lacks; nothing is changed. Throws StorageFault when the database was written by a
 * newer program, or was altered.
 */
export async function countMissing(
  target: MigrationTarget,
  migrations: readonly Migration[],
): Promise<number> {
  const tables = await target.db.introspection.getTables();
  if (!tables.some(({ name }) => name === 'sallyport_migrations')) return migrations.length;
  const applied = await target.db
    .selectFrom('sallyport_migrations')
    .select(['number', 'name', 'checksum'])
    .orderBy('number')
    .execute();
  checkHistory(target, migrations, applied);
  return migrations.length - applied.length;
}

function checkHistory(
  target: MigrationTarget,
  migrations: readonly Migration[],
  applied: readonly { readonly number: number; readonly name: string; readonly checksum: string }[],
): void {
  applied.forEach((row, index) => {
    const known = migrations[index];
    if (known === undefined) {
      throw new StorageFault(
        target.place,
        `written by a newer Sallyport (migration ${row.number} "${row.name}" is unknown here); start that version, or restore a backup`,
      );
    }
    if (row.number !== known.number || row.checksum !== checksumOf(known, target.words)) {
      throw new StorageFault(
        target.place,
        `migration ${row.number} "${row.name}" is not the one that this program has; the schema was altered, restore a backup`,
      );
    }
  });
}

function checksumOf(migration: Migration, words: SchemaWords): string {
  return createHash('sha256').update(migration.statements(words).join(';\n')).digest('hex');
}
