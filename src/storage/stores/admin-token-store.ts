import { z } from 'zod';
import type { AdminTokenRecord, AdminTokenStore } from '../../admin/index.ts';
import type { Link } from '../link.ts';
import { rowReader } from './columns.ts';

const COLUMNS = [
  'tenant',
  'id',
  'name',
  'role',
  'hash',
  'created_at as createdAt',
  'expires_at as expiresAt',
] as const;

const rows = rowReader<AdminTokenRecord>(
  'admin_tokens',
  z.strictObject({
    tenant: z.string(),
    id: z.string(),
    name: z.string(),
    role: z.enum(['admin', 'approver', 'auditor']),
    hash: z.string(),
    createdAt: z.number(),
    expiresAt: z.number().nullable(),
  }),
);

/** `insert` is false when the name, the id or the hash is taken. */
export function adminTokenStore({ db }: Link): AdminTokenStore {
  const all = () => db.selectFrom('admin_tokens').select(COLUMNS);
  return {
    async insert(token) {
      const result = await db
        .insertInto('admin_tokens')
        .values({
          tenant: token.tenant,
          id: token.id,
          name: token.name,
          role: token.role,
          hash: token.hash,
          created_at: token.createdAt,
          expires_at: token.expiresAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async byHash(hash) {
      return rows.optional(await all().where('hash', '=', hash).executeTakeFirst());
    },
    async list(tenant) {
      return rows.many(await all().where('tenant', '=', tenant).orderBy('name').execute());
    },
    async delete(tenant, id) {
      const result = await db
        .deleteFrom('admin_tokens')
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    async count() {
      const { count } = await db
        .selectFrom('admin_tokens')
        .select((select) => select.fn.countAll().as('count'))
        .executeTakeFirstOrThrow();
      return Number(count);
    },
  };
}
