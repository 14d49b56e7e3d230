import { sql } from 'kysely';
import { z } from 'zod';
import type { EnrolmentStore, InitialTokenRecord, RegistrationRecord } from '../../passport/index.ts';
import type { Link } from '../link.ts';
import { json, rowReader, strings } from './columns.ts';

const INITIAL = [
  'tenant',
  'id',
  'name',
  'hash',
  'owner',
  'scopes',
  'max_uses as maxUses',
  'used',
  'created_at as createdAt',
  'created_by as createdBy',
  'expires_at as expiresAt',
] as const;

const initialRows = rowReader<InitialTokenRecord>(
  'initial_tokens',
  z.strictObject({
    tenant: z.string(),
    id: z.string(),
    name: z.string(),
    hash: z.string(),
    owner: z.string(),
    scopes: json(strings),
    maxUses: z.number(),
    used: z.number(),
    createdAt: z.number(),
    createdBy: z.string(),
    expiresAt: z.number(),
  }),
);

const REGISTRATION = [
  'tenant',
  'agent_id as agentId',
  'token_hash as tokenHash',
  'initial_token as initialToken',
  'created_at as createdAt',
  'rotated_at as rotatedAt',
] as const;

const registrationRows = rowReader<RegistrationRecord>(
  'registrations',
  z.strictObject({
    tenant: z.string(),
    agentId: z.string(),
    tokenHash: z.string(),
    initialToken: z.string(),
    createdAt: z.number(),
    rotatedAt: z.number(),
  }),
);

export function enrolmentStore({ db }: Link): EnrolmentStore {
  const initial = () => db.selectFrom('initial_tokens').select(INITIAL);
  return {
    async insertInitialToken(token) {
      const result = await db
        .insertInto('initial_tokens')
        .values({
          tenant: token.tenant,
          id: token.id,
          name: token.name,
          hash: token.hash,
          owner: token.owner,
          scopes: JSON.stringify(token.scopes),
          max_uses: token.maxUses,
          used: token.used,
          created_at: token.createdAt,
          created_by: token.createdBy,
          expires_at: token.expiresAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async initialTokenByHash(hash) {
      return initialRows.optional(await initial().where('hash', '=', hash).executeTakeFirst());
    },
    async initialTokens(tenant) {
      return initialRows.many(await initial().where('tenant', '=', tenant).orderBy('name').execute());
    },
    async deleteInitialToken(tenant, id) {
      const result = await db
        .deleteFrom('initial_tokens')
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    async useInitialToken(tenant, id, now) {
      const result = await db
        .updateTable('initial_tokens')
        .set({ used: sql`used + 1` })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('expires_at', '>', now)
        .whereRef('used', '<', 'max_uses')
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async deleteExpired(before) {
      const result = await db
        .deleteFrom('initial_tokens')
        .where('expires_at', '<=', before)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    async insertRegistration(registration) {
      await db
        .insertInto('registrations')
        .values({
          tenant: registration.tenant,
          agent_id: registration.agentId,
          token_hash: registration.tokenHash,
          initial_token: registration.initialToken,
          created_at: registration.createdAt,
          rotated_at: registration.rotatedAt,
        })
        .execute();
    },
    async registration(tenant, agentId) {
      const query = db
        .selectFrom('registrations')
        .select(REGISTRATION)
        .where('tenant', '=', tenant)
        .where('agent_id', '=', agentId);
      return registrationRows.optional(await query.executeTakeFirst());
    },
    async rotateRegistration({ tenant, agentId, from, to, now }) {
      const result = await db
        .updateTable('registrations')
        .set({ token_hash: to, rotated_at: now })
        .where('tenant', '=', tenant)
        .where('agent_id', '=', agentId)
        .where('token_hash', '=', from)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async deleteRegistration(tenant, agentId) {
      await db
        .deleteFrom('registrations')
        .where('tenant', '=', tenant)
        .where('agent_id', '=', agentId)
        .execute();
    },
  };
}
