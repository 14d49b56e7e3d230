import { sql } from 'kysely';
import { z } from 'zod';
import type { OidcRow, OidcStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';
import { json, jsonObject, rowReader } from './columns.ts';

const COLUMNS = [
  'model',
  'id',
  'payload',
  'grant_id as grantId',
  'user_code as userCode',
  'uid',
  'expires_at as expiresAt',
  'consumed_at as consumedAt',
] as const;

const rows = rowReader<OidcRow>(
  'oidc_rows',
  z.strictObject({
    model: z.string(),
    id: z.string(),
    payload: json(jsonObject),
    grantId: z.string().nullable(),
    userCode: z.string().nullable(),
    uid: z.string().nullable(),
    expiresAt: z.number().nullable(),
    consumedAt: z.number().nullable(),
  }),
);

export function oidcRowOf(row: OidcRow) {
  return {
    model: row.model,
    id: row.id,
    payload: JSON.stringify(row.payload),
    grant_id: row.grantId,
    user_code: row.userCode,
    uid: row.uid,
    expires_at: row.expiresAt,
    consumed_at: row.consumedAt,
  };
}

export function oidcStore({ db }: Link): OidcStore {
  const live = (model: string, now: number) =>
    db
      .selectFrom('oidc_rows')
      .select(COLUMNS)
      .where('model', '=', model)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]));
  return {
    async upsert(row) {
      const { model, id, consumed_at, ...changed } = oidcRowOf(row);
      await db
        .insertInto('oidc_rows')
        .values({ model, id, consumed_at, ...changed })
        .onConflict((conflict) =>
          conflict.columns(['model', 'id']).doUpdateSet({
            ...changed,
            // Saving a code again must not make a used one usable.
            consumed_at: sql`coalesce(oidc_rows.consumed_at, excluded.consumed_at)`,
          }),
        )
        .execute();
    },
    async insertIfAbsent(row, now) {
      const { model, id, ...rest } = oidcRowOf(row);
      const result = await db
        .insertInto('oidc_rows')
        .values({ model, id, ...rest })
        .onConflict((conflict) =>
          conflict.columns(['model', 'id']).doUpdateSet(rest).where('oidc_rows.expires_at', '<=', now),
        )
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async find(model, id, now) {
      return rows.optional(await live(model, now).where('id', '=', id).executeTakeFirst());
    },
    async findByUid(model, uid, now) {
      return rows.optional(await live(model, now).where('uid', '=', uid).executeTakeFirst());
    },
    async findByUserCode(model, userCode, now) {
      return rows.optional(await live(model, now).where('user_code', '=', userCode).executeTakeFirst());
    },
    async consume(model, id, now) {
      const result = await db
        .updateTable('oidc_rows')
        .set({ consumed_at: now })
        .where('model', '=', model)
        .where('id', '=', id)
        .where('consumed_at', 'is', null)
        .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async destroy(model, id) {
      await db.deleteFrom('oidc_rows').where('model', '=', model).where('id', '=', id).execute();
    },
    async revokeByGrantId(model, grantId) {
      await db.deleteFrom('oidc_rows').where('model', '=', model).where('grant_id', '=', grantId).execute();
    },
    async deleteExpired(before) {
      const result = await db.deleteFrom('oidc_rows').where('expires_at', '<=', before).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
