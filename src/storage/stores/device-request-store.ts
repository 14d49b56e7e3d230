import { z } from 'zod';
import type { DeviceRequestRecord, DeviceRequestStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';
import { json, jsonObject, rowReader } from './columns.ts';

const COLUMNS = [
  'tenant',
  'code_hash as codeHash',
  'user_code_hash as userCodeHash',
  'agent_id as agentId',
  'scope',
  'audience',
  'asked',
  'status',
  'grant_id as grantId',
  'interval_ms as intervalMs',
  'polled_at as polledAt',
  'created_at as createdAt',
  'expires_at as expiresAt',
] as const;

const LONGEST_INTERVAL_MS = 60_000;

const rows = rowReader<DeviceRequestRecord>(
  'device_requests',
  z.strictObject({
    tenant: z.string(),
    codeHash: z.string(),
    userCodeHash: z.string(),
    agentId: z.string(),
    scope: z.string(),
    audience: z.string(),
    asked: json(jsonObject),
    status: z.enum(['pending', 'denied', 'given']),
    grantId: z.string().nullable(),
    intervalMs: z.number(),
    polledAt: z.number().nullable(),
    createdAt: z.number(),
    expiresAt: z.number(),
  }),
);

export function deviceRequestStore({ db }: Link): DeviceRequestStore {
  const find = (tenant: string) =>
    db.selectFrom('device_requests').select(COLUMNS).where('tenant', '=', tenant);
  return {
    async insert(request) {
      const result = await db
        .insertInto('device_requests')
        .values({
          tenant: request.tenant,
          code_hash: request.codeHash,
          user_code_hash: request.userCodeHash,
          agent_id: request.agentId,
          scope: request.scope,
          audience: request.audience,
          asked: JSON.stringify(request.asked),
          status: request.status,
          grant_id: request.grantId,
          interval_ms: request.intervalMs,
          polled_at: request.polledAt,
          created_at: request.createdAt,
          expires_at: request.expiresAt,
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async get(tenant, codeHash) {
      return rows.optional(await find(tenant).where('code_hash', '=', codeHash).executeTakeFirst());
    },
    async byUserCode(tenant, userCodeHash, now) {
      const query = find(tenant).where('user_code_hash', '=', userCodeHash).where('expires_at', '>', now);
      return rows.optional(await query.executeTakeFirst());
    },
    async decide({ tenant, codeHash }, { status, grantId }, now) {
      const result = await db
        .updateTable('device_requests')
        .set({ status, grant_id: grantId })
        .where('tenant', '=', tenant)
        .where('code_hash', '=', codeHash)
        .where('status', '=', 'pending')
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async poll({ tenant, codeHash, intervalMs }, now, longerMs) {
      const polled = await db
        .updateTable('device_requests')
        .set({ polled_at: now })
        .where('tenant', '=', tenant)
        .where('code_hash', '=', codeHash)
        .where(({ or, eb, ref }) =>
          or([eb('polled_at', 'is', null), eb('polled_at', '<=', eb(eb.val(now), '-', ref('interval_ms')))]),
        )
        .executeTakeFirst();
      if (polled.numUpdatedRows === 1n) return true;
      await db
        .updateTable('device_requests')
        .set({ interval_ms: Math.min(intervalMs + longerMs, LONGEST_INTERVAL_MS) })
        .where('tenant', '=', tenant)
        .where('code_hash', '=', codeHash)
        // Of many at once one makes it longer.
        .where('interval_ms', '=', intervalMs)
        .executeTakeFirst();
      return false;
    },
    async countSince(tenant, agentId, since) {
      const { count } = await db
        .selectFrom('device_requests')
        .select(({ fn }) => fn.countAll<number | string>().as('count'))
        .where('tenant', '=', tenant)
        .where('agent_id', '=', agentId)
        .where('created_at', '>', since)
        .executeTakeFirstOrThrow();
      return Number(count);
    },
    async deleteExpired(before) {
      const result = await db
        .deleteFrom('device_requests')
        .where('expires_at', '<=', before)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
