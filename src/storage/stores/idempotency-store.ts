import { z } from 'zod';
import type { IdempotencyRecord, IdempotencyStore } from '../../admin/index.ts';
import type { Link } from '../link.ts';
import { bytes, rowReader } from './columns.ts';

const rows = rowReader<IdempotencyRecord>(
  'idempotency_keys',
  z.strictObject({
    tenant: z.string(),
    tokenId: z.string(),
    keyHash: z.string(),
    fingerprint: z.string(),
    startedAt: z.number(),
    expiresAt: z.number(),
    answer: bytes.nullable(),
  }),
);

/** Of many requests with one key that arrive at once, one begins: the insert decides. */
export function idempotencyStore(link: Link): IdempotencyStore {
  return {
    begin: (record, now) =>
      link.atomically(async ({ db }) => {
        await db
          .deleteFrom('idempotency_keys')
          .where('tenant', '=', record.tenant)
          .where('token_id', '=', record.tokenId)
          .where('key_hash', '=', record.keyHash)
          .where('expires_at', '<=', now)
          .execute();
        const made = await db
          .insertInto('idempotency_keys')
          .values({
            tenant: record.tenant,
            token_id: record.tokenId,
            key_hash: record.keyHash,
            fingerprint: record.fingerprint,
            started_at: record.startedAt,
            expires_at: record.expiresAt,
            answer: record.answer,
          })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        if (made.numInsertedOrUpdatedRows === 1n) return null;
        const known = await db
          .selectFrom('idempotency_keys')
          .select([
            'tenant',
            'token_id as tokenId',
            'key_hash as keyHash',
            'fingerprint',
            'started_at as startedAt',
            'expires_at as expiresAt',
            'answer',
          ])
          .where('tenant', '=', record.tenant)
          .where('token_id', '=', record.tokenId)
          .where('key_hash', '=', record.keyHash)
          .executeTakeFirst();
        // Released by its holder between the two statements: for this request it was in use.
        return rows.optional(known) ?? { ...record, answer: null };
      }),
    async finish({ tenant, tokenId, keyHash }, answer) {
      await link.db
        .updateTable('idempotency_keys')
        .set({ answer })
        .where('tenant', '=', tenant)
        .where('token_id', '=', tokenId)
        .where('key_hash', '=', keyHash)
        .execute();
    },
    async release({ tenant, tokenId, keyHash }) {
      await link.db
        .deleteFrom('idempotency_keys')
        .where('tenant', '=', tenant)
        .where('token_id', '=', tokenId)
        .where('key_hash', '=', keyHash)
        .where('answer', 'is', null)
        .execute();
    },
    async deleteExpired(before) {
      const result = await link.db
        .deleteFrom('idempotency_keys')
        .where('expires_at', '<=', before)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
