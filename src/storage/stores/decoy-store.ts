import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { DecoyRecord, DecoyStore } from '../../detector/index.ts';
import type { Link } from '../link.ts';
import { rowReader, severity } from './columns.ts';

const COLUMNS = [
  'tenant',
  'id',
  'kind',
  'name',
  'value',
  'sid',
  'severity',
  'planted_at as plantedAt',
  'planted_by as plantedBy',
] as const;

const rows = rowReader<DecoyRecord>(
  'decoys',
  z.strictObject({
    tenant: z.string(),
    id: z.string(),
    kind: z.enum(['credential', 'value', 'host']),
    name: z.string(),
    value: z.string(),
    sid: z.string().nullable(),
    severity,
    plantedAt: z.number(),
    plantedBy: z.string(),
  }),
);

/** `insert` is false when the value is planted already: it could not say which planting leaked. */
export function decoyStore({ db }: Link): DecoyStore {
  const all = () => db.selectFrom('decoys').select(COLUMNS);
  return {
    async insert(decoy) {
      const result = await db
        .insertInto('decoys')
        .values({
          tenant: decoy.tenant,
          id: decoy.id,
          kind: decoy.kind,
          name: decoy.name,
          value: decoy.value,
          value_digest: createHash('sha256').update(decoy.value).digest('hex'),
          sid: decoy.sid,
          severity: decoy.severity,
          planted_at: decoy.plantedAt,
          planted_by: decoy.plantedBy,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async all() {
      return rows.many(await all().orderBy('tenant').orderBy('id').execute());
    },
    async mark() {
      const { count, newest } = await db
        .selectFrom('decoys')
        .select(({ fn }) => [fn.countAll().as('count'), fn.max('id').as('newest')])
        .executeTakeFirstOrThrow();
      return `${count} ${newest}`;
    },
    async list(tenant) {
      return rows.many(await all().where('tenant', '=', tenant).orderBy('id').execute());
    },
    async delete(tenant, id) {
      const result = await db
        .deleteFrom('decoys')
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    async deleteOlderThan(at) {
      const result = await db
        .deleteFrom('decoys')
        .where('sid', 'is not', null)
        .where('planted_at', '<', at)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
