import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { StorageFault } from '../fault.ts';

/** "Saly": marks the file as ours (SQLite's application_id). */
const APPLICATION_ID = 0x53616c79;

/**
 * Makes the file with mode 0600 when it is missing; an empty one is what a crash during the very first start
 * leaves. A file that is there is opened by SQLite alone: closing a descriptor of our own would drop the locks
 * that this process holds on it (POSIX).
 */
export function prepareFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    // SQLite gives its write-ahead log the mode of the database file.
    closeSync(openSync(file, 'wx', 0o600));
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
  }
}

/** Refuses a damaged database and one of another program; marks a new one as ours. */
export function checkContent(database: DatabaseSync, file: string): void {
  if (assertOurs(database, file) === 'new') database.exec(`pragma application_id = ${APPLICATION_ID}`);
}

/** Refuses a damaged database and one of another program; writes nothing. */
export function assertOurs(database: DatabaseSync, file: string): 'ours' | 'new' {
  const verdict = readPragma(database, 'quick_check(1)');
  if (verdict !== 'ok') throw damaged(file, String(verdict));
  const id = readPragma(database, 'application_id');
  if (id === APPLICATION_ID) return 'ours';
  const tables = z
    .strictObject({ count: z.number() })
    .parse({ ...database.prepare('select count(*) as count from sqlite_schema').get() });
  if (id !== 0 || tables.count !== 0) {
    throw new StorageFault(file, 'a database of another program; give Sallyport a file of its own');
  }
  return 'new';
}

export function damaged(file: string, how: string, cause?: unknown): StorageFault {
  return new StorageFault(file, `the database is damaged (${how}); restore a backup`, { cause });
}

function readPragma(database: DatabaseSync, pragma: string): unknown {
  const row = database.prepare(`pragma ${pragma}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}

/** VACUUM INTO reads in one transaction, so that the copy is of one moment, and free of deleted content. */
export function snapshotInto(database: DatabaseSync, target: string): void {
  // SQLite fills an empty file; made here, it is never readable by others.
  closeSync(openSync(target, 'wx', 0o600));
  database.prepare('vacuum into ?').run(target);
}
