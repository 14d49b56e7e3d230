import { z } from 'zod';
import type { BackchannelRecord, BackchannelStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';
import { json, jsonObject, rowReader } from './columns.ts';

const COLUMNS = [
  'tenant',
  'id_hash as idHash',
  'approval_id as approvalId',
  'agent_id as agentId',
  'credential',
  'user_id as userId',
  'scope',
  'audience',
  'asked',
  'call_digest as callDigest',
  'sid',
  'notify',
  'interval_ms as intervalMs',
  'polled_at as polledAt',
  'created_at as createdAt',
  'expires_at as expiresAt',
] as const;

const LONGEST_INTERVAL_MS = 60_000;

const rows = rowReader<BackchannelRecord>(
  'backchannel_requests',
  z.strictObject({
    tenant: z.string(),
    idHash: z.string(),
    approvalId: z.string(),
    agentId: z.string(),
    credential: z.string(),
    userId: z.string(),
    scope: z.string(),
    audience: z.string(),
    asked: json(jsonObject),
    callDigest: z.string(),
    sid: z.string(),
    notify: z.string().nullable(),
    intervalMs: z.number(),
    polledAt: z.number().nullable(),
    createdAt: z.number(),
    expiresAt: z.number(),
  }),
);

export function backchannelStore({ db }: Link): BackchannelStore {
  const find = () => db.selectFrom('backchannel_requests').select(COLUMNS);
  return {
    async insert(record) {
      await db
        .insertInto('backchannel_requests')
        .values({
          tenant: record.tenant,
          id_hash: record.idHash,
          approval_id: record.approvalId,
          agent_id: record.agentId,
          credential: record.credential,
          user_id: record.userId,
          scope: record.scope,
          audience: record.audience,
          asked: JSON.stringify(record.asked),
          call_digest: record.callDigest,
          sid: record.sid,
          notify: record.notify,
          interval_ms: record.intervalMs,
          polled_at: record.polledAt,
          created_at: record.createdAt,
          expires_at: record.expiresAt,
        })
        .execute();
    },
    async get(tenant, idHash) {
      const query = find().where('tenant', '=', tenant).where('id_hash', '=', idHash);
      return rows.optional(await query.executeTakeFirst());
    },
    async byApproval(tenant, approvalId) {
      const query = find().where('tenant', '=', tenant).where('approval_id', '=', approvalId);
      return rows.optional(await query.executeTakeFirst());
    },
    async countSince(tenant, agentId, since) {
      const { count } = await db
        .selectFrom('backchannel_requests')
        .select(({ fn }) => fn.countAll<number | string>().as('count'))
        .where('tenant', '=', tenant)
        .where('agent_id', '=', agentId)
        .where('created_at', '>', since)
        .executeTakeFirstOrThrow();
      return Number(count);
    },
    async poll({ tenant, idHash, intervalMs }, now, longerMs) {
      const polled = await db
        .updateTable('backchannel_requests')
        .set({ polled_at: now })
        .where('tenant', '=', tenant)
        .where('id_hash', '=', idHash)
        .where(({ or, eb, ref }) =>
          or([eb('polled_at', 'is', null), eb('polled_at', '<=', eb(eb.val(now), '-', ref('interval_ms')))]),
        )
        .executeTakeFirst();
      if (polled.numUpdatedRows === 1n) return true;
      await db
        .updateTable('backchannel_requests')
        .set({ interval_ms: Math.min(intervalMs + longerMs, LONGEST_INTERVAL_MS) })
        .where('tenant', '=', tenant)
        .where('id_hash', '=', idHash)
        // Of many at once one makes it longer.
        .where('interval_ms', '=', intervalMs)
        .executeTakeFirst();
      return false;
    },
    async deleteExpired(before) {
      const result = await db
        .deleteFrom('backchannel_requests')
        .where('expires_at', '<=', before)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
