import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { assertOurs, snapshotInto } from './dialect/sqlite-file.ts';
import { StorageFault } from './fault.ts';

/**
 * Writes a whole copy of an embedded database that no process holds into a new file, mode 0600. A running gate
 * makes the copy itself (`Storage.snapshot`). Throws StorageFault when the database is damaged or in use.
 */
export function snapshotFile(file: string, target: string): void {
  if (!existsSync(file)) throw new StorageFault(file, 'there is no database');
  const database = new DatabaseSync(file, { timeout: 0, readOnly: true });
  try {
    assertOurs(database, file);
    snapshotInto(database, target);
  } catch (cause) {
    if (cause instanceof StorageFault) throw cause;
    throw new StorageFault(
      file,
      `can not be copied (${cause instanceof Error ? cause.message : String(cause)})`,
      {
        cause,
      },
    );
  } finally {
    database.close();
  }
}
