import { z } from 'zod';
import type { SinkRecord, SinkStore } from '../../alerts/index.ts';
import type { Link } from '../link.ts';
import { bytes, json, jsonObject, rowReader, severity } from './columns.ts';

const COLUMNS = [
  'tenant',
  'id',
  'name',
  'kind',
  'options',
  'sealed_secret as sealedSecret',
  'min_severity as minSeverity',
  'status',
  'created_at as createdAt',
] as const;

const rows = rowReader<SinkRecord>(
  'sinks',
  z.strictObject({
    tenant: z.string(),
    id: z.string(),
    name: z.string(),
    kind: z.string(),
    options: json(jsonObject),
    sealedSecret: bytes.nullable(),
    minSeverity: severity,
    status: z.enum(['active', 'disabled']),
    createdAt: z.number(),
  }),
);

export function sinkStore({ db }: Link): SinkStore {
  const all = () => db.selectFrom('sinks').select(COLUMNS);
  return {
    async insert(sink) {
      const result = await db
        .insertInto('sinks')
        .values({
          tenant: sink.tenant,
          id: sink.id,
          name: sink.name,
          kind: sink.kind,
          options: JSON.stringify(sink.options),
          sealed_secret: sink.sealedSecret,
          min_severity: sink.minSeverity,
          status: sink.status,
          created_at: sink.createdAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async get(tenant, id) {
      return rows.optional(await all().where('tenant', '=', tenant).where('id', '=', id).executeTakeFirst());
    },
    async list(tenant) {
      return rows.many(await all().where('tenant', '=', tenant).orderBy('name').execute());
    },
    async all() {
      return rows.many(await all().orderBy('tenant').orderBy('name').execute());
    },
    async setStatus(tenant, id, status) {
      const result = await db
        .updateTable('sinks')
        .set({ status })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async setSecret(tenant, id, sealedSecret) {
      const result = await db
        .updateTable('sinks')
        .set({ sealed_secret: sealedSecret })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async delete(tenant, id) {
      const result = await db
        .deleteFrom('sinks')
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
  };
}
