import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEvent, Clock } from '../core/index.ts';
import type { Storage } from '../storage/index.ts';

const COPY = /^backup_[a-z0-9]+\.db$/;

/**
 * A copy of the database for `sallyport backup`, in the data folder, which others can't enter. Whoever asked takes
 * it away; one that was left is removed by the next. Null for PostgreSQL.
 */
export async function snapshotDatabase(
  o: {
    readonly storage: Pick<Storage, 'snapshot'>;
    readonly data: string;
    readonly clock: Clock;
    readonly audit: (event: AuditEvent) => Promise<unknown>;
    readonly tenant: string;
  },
  by: string,
): Promise<string | null> {
  const { storage, data, clock, audit, tenant } = o;
  if (storage.snapshot === null) return null;
  const now = clock.now();
  const id = `backup_${randomBytes(8).toString('hex')}`;
  await audit({ type: 'backup.made', tenant, at: now, data: { id, by, changes: {} } });
  for (const name of readdirSync(data)) if (COPY.test(name)) rmSync(join(data, name), { force: true });
  const file = join(data, `${id}.db`);
  storage.snapshot(file);
  return file;
}
