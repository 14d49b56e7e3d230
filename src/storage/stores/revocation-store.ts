import { sql } from 'kysely';
import { z } from 'zod';
import type { RevocationRecord, RevocationStore } from '../../passport/index.ts';
import type { ChangeFeed } from '../dialect/change.ts';
import type { Link } from '../link.ts';
import { rowReader } from './columns.ts';

/** Keeps an announcement far below PostgreSQL's 8,000 bytes; the row has the whole text. */
const ANNOUNCED_REASON_CHARS = 400;

const COLUMNS = [
  'tenant',
  'id',
  'kind',
  'value',
  'revoked_at as revokedAt',
  'expires_at as expiresAt',
  'revoked_by as by',
  'reason',
] as const;

const rows = rowReader<RevocationRecord>(
  'revocations',
  z.strictObject({
    tenant: z.string(),
    id: z.string(),
    kind: z.enum(['token', 'hop', 'session', 'agent', 'owner', 'user', 'credential', 'key']),
    value: z.string(),
    revokedAt: z.number(),
    expiresAt: z.number().nullable(),
    by: z.string(),
    reason: z.string().nullable(),
  }),
);

export function revocationStore(link: Link, feed: ChangeFeed): RevocationStore {
  const { db } = link;
  return {
    async insert(revocation) {
      await link.atomically(async (transaction) => {
        const written = await transaction.db
          .insertInto('revocations')
          .values({
            tenant: revocation.tenant,
            id: revocation.id,
            kind: revocation.kind,
            value: revocation.value,
            revoked_at: revocation.revokedAt,
            expires_at: revocation.expiresAt,
            revoked_by: revocation.by,
            reason: revocation.reason,
          })
          // Said twice, the later moment counts, and the entry is kept as long as either asked for.
          .onConflict((conflict) =>
            conflict.columns(['tenant', 'kind', 'value']).doUpdateSet({
              id: later('id'),
              revoked_by: later('revoked_by'),
              reason: later('reason'),
              revoked_at: later('revoked_at'),
              expires_at: sql<number | null>`case
                when revocations.expires_at is null or excluded.expires_at is null then null
                when excluded.expires_at > revocations.expires_at then excluded.expires_at
                else revocations.expires_at end`,
            }),
          )
          .returning(COLUMNS)
          .executeTakeFirstOrThrow();
        const record = rows.one(written);
        await transaction.announce({
          topic: 'revocation',
          ...record,
          reason: record.reason?.slice(0, ANNOUNCED_REASON_CHARS) ?? null,
        });
      });
    },
    async list(tenant, page) {
      const query = db
        .selectFrom('revocations')
        .select(COLUMNS)
        .where('tenant', '=', tenant)
        .where('id', '>', page.after ?? '')
        .orderBy('id')
        .limit(page.limit);
      return rows.many(await query.execute());
    },
    async all(now) {
      const query = db
        .selectFrom('revocations')
        .select(COLUMNS)
        .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]));
      return rows.many(await query.execute());
    },
    async deleteExpired(before) {
      const result = await db.deleteFrom('revocations').where('expires_at', '<=', before).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    follow: (listener, resync) =>
      feed.follow({
        onChange: (change) => {
          if (change.topic !== 'revocation') return;
          const { topic: _, ...revocation } = change;
          listener(revocation);
        },
        onGap: resync,
      }),
  };
}

function later<Column extends 'id' | 'revoked_by' | 'reason' | 'revoked_at'>(column: Column) {
  const [theirs, ours] = [sql.ref(`excluded.${column}`), sql.ref(`revocations.${column}`)];
  return sql<never>`case when excluded.revoked_at > revocations.revoked_at then ${theirs} else ${ours} end`;
}
