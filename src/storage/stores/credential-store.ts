import { z } from 'zod';
import type { CredentialRecord, CredentialStore } from '../../vault/index.ts';
import type { ChangeFeed } from '../dialect/change.ts';
import type { Link, TransactionLink } from '../link.ts';
import { bytes, json, literal, rowReader } from './columns.ts';

const COLUMNS = [
  'tenant',
  'id',
  'name',
  'version',
  'binding',
  'status',
  'kek_id as kekId',
  'wrapped_key as wrappedKey',
  'sealed',
  'created_at as createdAt',
  'created_by as createdBy',
  'revoked_at as revokedAt',
] as const;

const rows = rowReader<CredentialRecord>(
  'credentials',
  z.strictObject({
    tenant: z.string(),
    id: z.string(),
    name: z.string(),
    version: z.number(),
    binding: json(
      z.strictObject({
        destinations: z.array(
          z.strictObject({ scheme: z.enum(['https', 'http']), host: z.string(), port: z.number() }),
        ),
        upstreamCa: z.string().nullable(),
        allowPrivate: z.boolean(),
        injector: z.discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('bearer') }),
          z.strictObject({ kind: z.literal('basic'), username: z.string() }),
          z.strictObject({ kind: z.literal('header'), name: z.string(), prefix: z.string() }),
          z.strictObject({ kind: z.literal('query'), name: z.string() }),
        ]),
      }),
    ),
    status: z.enum(['active', 'superseded', 'revoked']),
    kekId: z.string(),
    wrappedKey: bytes,
    sealed: bytes,
    createdAt: z.number(),
    createdBy: z.string(),
    revokedAt: z.number().nullable(),
  }),
);

function toRow(record: CredentialRecord) {
  return {
    tenant: record.tenant,
    id: record.id,
    name: record.name,
    version: record.version,
    binding: JSON.stringify(record.binding),
    status: record.status,
    kek_id: record.kekId,
    wrapped_key: record.wrappedKey,
    sealed: record.sealed,
    created_at: record.createdAt,
    created_by: record.createdBy,
    revoked_at: record.revokedAt,
  };
}

/** What stands in the columns of a secret that is no longer in use: neither key nor ciphertext. */
const emptied = () => ({ wrapped_key: new Uint8Array(), sealed: new Uint8Array() });

/** `list` pages by name: `after` is the last name seen. */
export function credentialStore(link: Link, feed: ChangeFeed): CredentialStore {
  const { db } = link;

  /** Makes the change and, where it took place, tells every node. */
  const change = (
    credential: { readonly tenant: string; readonly name: string },
    work: (transaction: TransactionLink) => Promise<boolean>,
  ): Promise<boolean> =>
    link.atomically(async (transaction) => {
      const done = await work(transaction);
      if (done) {
        const { tenant, name } = credential;
        await transaction.announce({ topic: 'credential', tenant, name });
      }
      return done;
    });

  /** Of each name the active version, or the newest one when none is active. */
  const current = () =>
    db
      .selectFrom('credentials as c')
      .select(COLUMNS)
      .where(({ eb, not, exists, selectFrom }) =>
        eb.or([
          eb('c.status', '=', literal('active')),
          not(
            exists(
              selectFrom('credentials as better')
                .select('better.id')
                .whereRef('better.tenant', '=', 'c.tenant')
                .whereRef('better.name', '=', 'c.name')
                .where((better) =>
                  better.or([
                    better('better.status', '=', literal('active')),
                    better(
                      better.refTuple('better.created_at', 'better.version', 'better.id'),
                      '>',
                      better.refTuple('c.created_at', 'c.version', 'c.id'),
                    ),
                  ]),
                ),
            ),
          ),
        ]),
      );

  return {
    insert: (record) =>
      change(record, async (transaction) => {
        const result = await transaction.db
          .insertInto('credentials')
          .values(toRow(record))
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        return result.numInsertedOrUpdatedRows === 1n;
      }),
    rotate: (record) =>
      change(record, async (transaction) => {
        const result = await transaction.db
          .updateTable('credentials')
          .set({ status: 'superseded', ...emptied() })
          .where('tenant', '=', record.tenant)
          .where('name', '=', record.name)
          .where('status', '=', literal('active'))
          .where('version', '=', record.version - 1)
          .executeTakeFirst();
        if (result.numUpdatedRows !== 1n) return false;
        await transaction.db.insertInto('credentials').values(toRow(record)).execute();
        return true;
      }),
    async current(tenant, name) {
      const query = current().where('c.tenant', '=', tenant).where('c.name', '=', name);
      return rows.optional(await query.executeTakeFirst());
    },
    async allCurrent() {
      return rows.many(await current().execute());
    },
    async list(tenant, page) {
      const query = current()
        .where('c.tenant', '=', tenant)
        .where('c.name', '>', page.after ?? '')
        .orderBy('c.name')
        .limit(page.limit);
      return rows.many(await query.execute());
    },
    revoke: (tenant, name, at) =>
      change({ tenant, name }, async (transaction) => {
        const result = await transaction.db
          .updateTable('credentials')
          .set({ status: 'revoked', revoked_at: at, ...emptied() })
          .where('tenant', '=', tenant)
          .where('name', '=', name)
          .where('status', '<>', 'revoked')
          .executeTakeFirst();
        return result.numUpdatedRows > 0n;
      }),
    delete: (tenant, name) =>
      change({ tenant, name }, async (transaction) => {
        const result = await transaction.db
          .deleteFrom('credentials')
          .where('tenant', '=', tenant)
          .where('name', '=', name)
          .executeTakeFirst();
        return result.numDeletedRows > 0n;
      }),
    async rewrap(record, previousKekId) {
      const result = await db
        .updateTable('credentials')
        .set({ wrapped_key: record.wrappedKey, kek_id: record.kekId })
        .where('tenant', '=', record.tenant)
        .where('id', '=', record.id)
        .where('version', '=', record.version)
        .where('status', '=', record.status)
        .where('kek_id', '=', previousKekId)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    follow: (listener, resync) =>
      feed.follow({
        onChange: (change) => {
          if (change.topic === 'credential') listener({ tenant: change.tenant, name: change.name });
        },
        onGap: resync,
      }),
  };
}
