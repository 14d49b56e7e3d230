import type { Expression, SqlBool } from 'kysely';
import { z } from 'zod';
import type { PersonGrantRecord, PersonGrantStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';
import { json, jsonObject, rowReader } from './columns.ts';

const COLUMNS = [
  'tenant',
  'id',
  'user_id as userId',
  'agent_id as agentId',
  'owner',
  'origin',
  'scope',
  'audience',
  'asked',
  'sid',
  'hop',
  'status',
  'code_hash as codeHash',
  'code',
  'bound_to as boundTo',
  'credential',
  'refresh_hash as refreshHash',
  'refresh_serial as refreshSerial',
  'lifetime_ms as lifetimeMs',
  'created_at as createdAt',
  'expires_at as expiresAt',
  'used_at as usedAt',
  'ended_at as endedAt',
  'ended_by as endedBy',
  'end_reason as endReason',
] as const;

const rows = rowReader<PersonGrantRecord>(
  'user_grants',
  z.strictObject({
    tenant: z.string(),
    id: z.string(),
    userId: z.string(),
    agentId: z.string(),
    owner: z.string(),
    origin: z.enum(['code', 'device']),
    scope: z.string(),
    audience: z.string(),
    asked: json(jsonObject),
    sid: z.string(),
    hop: z.string(),
    status: z.enum(['given', 'active', 'ended']),
    codeHash: z.string().nullable(),
    code: json(
      z.strictObject({
        redirectUri: z.string(),
        codeChallenge: z.string(),
        dpopJkt: z.string().nullable(),
      }),
    ).nullable(),
    boundTo: z.string().nullable(),
    credential: z.string().nullable(),
    refreshHash: z.string().nullable(),
    refreshSerial: z.number(),
    lifetimeMs: z.number(),
    createdAt: z.number(),
    expiresAt: z.number(),
    usedAt: z.number().nullable(),
    endedAt: z.number().nullable(),
    endedBy: z.string().nullable(),
    endReason: z.string().nullable(),
  }),
);

function toRow(grant: PersonGrantRecord) {
  return {
    tenant: grant.tenant,
    id: grant.id,
    user_id: grant.userId,
    agent_id: grant.agentId,
    owner: grant.owner,
    origin: grant.origin,
    scope: grant.scope,
    audience: grant.audience,
    asked: JSON.stringify(grant.asked),
    sid: grant.sid,
    hop: grant.hop,
    status: grant.status,
    code_hash: grant.codeHash,
    code: grant.code === null ? null : JSON.stringify(grant.code),
    bound_to: grant.boundTo,
    credential: grant.credential,
    refresh_hash: grant.refreshHash,
    refresh_serial: grant.refreshSerial,
    lifetime_ms: grant.lifetimeMs,
    created_at: grant.createdAt,
    expires_at: grant.expiresAt,
    used_at: grant.usedAt,
    ended_at: grant.endedAt,
    ended_by: grant.endedBy,
    end_reason: grant.endReason,
  };
}

const COLUMN_OF = { hop: 'hop', session: 'sid', user: 'user_id', agent: 'agent_id', owner: 'owner' } as const;

export function personGrantStore({ db }: Link): PersonGrantStore {
  const find = (tenant: string) => db.selectFrom('user_grants').select(COLUMNS).where('tenant', '=', tenant);
  return {
    async insert(grant) {
      await db.insertInto('user_grants').values(toRow(grant)).execute();
    },
    async get(tenant, id) {
      return rows.optional(await find(tenant).where('id', '=', id).executeTakeFirst());
    },
    async byCode(tenant, codeHash) {
      return rows.optional(await find(tenant).where('code_hash', '=', codeHash).executeTakeFirst());
    },
    async list(tenant, { userId, agentId, liveAt, after, limit }) {
      let query = find(tenant);
      if (userId !== undefined) query = query.where('user_id', '=', userId);
      if (agentId !== undefined) query = query.where('agent_id', '=', agentId);
      if (liveAt !== undefined) query = query.where('status', '<>', 'ended').where('expires_at', '>', liveAt);
      if (after !== null) query = query.where('id', '<', after);
      return rows.many(await query.orderBy('id', 'desc').limit(limit).execute());
    },
    async fetch({ tenant, id }, to, now) {
      const result = await db
        .updateTable('user_grants')
        .set({
          status: 'active',
          bound_to: to.boundTo,
          credential: to.credential,
          refresh_hash: to.refreshHash,
          expires_at: to.expiresAt,
          used_at: now,
        })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('status', '=', 'given')
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async rotate({ tenant, id, refreshSerial }, { credential, refreshHash }, now) {
      const result = await db
        .updateTable('user_grants')
        .set({ credential, refresh_hash: refreshHash, refresh_serial: refreshSerial + 1, used_at: now })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('status', '=', 'active')
        .where('refresh_serial', '=', refreshSerial)
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async end(which, { by, reason }, now) {
      const ended = await db
        .updateTable('user_grants')
        .set({ status: 'ended', ended_at: now, ended_by: by, end_reason: reason, refresh_hash: null })
        .where('tenant', '=', which.tenant)
        .where('status', '<>', 'ended')
        .where('expires_at', '>', now)
        .where(({ eb, and }): Expression<SqlBool> => {
          if (which.kind !== 'credential') return eb(COLUMN_OF[which.kind], '=', which.value);
          return and([eb('agent_id', '=', which.agentId), eb('credential', '=', which.value)]);
        })
        .returning(COLUMNS)
        .execute();
      return rows.many(ended);
    },
    async deleteExpired(before) {
      const result = await db.deleteFrom('user_grants').where('expires_at', '<=', before).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
