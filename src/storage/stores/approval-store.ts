import { z } from 'zod';
import type { ApprovalRecord, ApprovalStore } from '../../approvals/index.ts';
import type { Link } from '../link.ts';
import { json, jsonObject, literal, rowReader, strings } from './columns.ts';

const COLUMNS = [
  'tenant',
  'id',
  'call_digest as callDigest',
  'sid',
  'agent_id as agentId',
  'owner',
  'user_id as user',
  'shown',
  'status',
  'requested_at as requestedAt',
  'expires_at as expiresAt',
  'decided_at as decidedAt',
  'decided_by as decidedBy',
  'reason',
  'approvers_needed as approversNeeded',
  'first_by as firstBy',
  'first_principal as firstPrincipal',
  'first_at as firstAt',
  'chain',
] as const;

const rows = rowReader<ApprovalRecord>(
  'approvals',
  z
    .strictObject({
      tenant: z.string(),
      id: z.string(),
      callDigest: z.string(),
      sid: z.string(),
      agentId: z.string(),
      owner: z.string(),
      user: z.string().nullable(),
      shown: json(jsonObject),
      status: z.enum(['pending', 'approved', 'denied', 'used']),
      requestedAt: z.number(),
      expiresAt: z.number(),
      decidedAt: z.number().nullable(),
      decidedBy: z.string().nullable(),
      reason: z.string().nullable(),
      approversNeeded: z.union([z.literal(1), z.literal(2)]),
      firstBy: z.string().nullable(),
      firstPrincipal: z.string().nullable(),
      firstAt: z.number().nullable(),
      chain: json(strings),
    })
    .transform(({ firstBy, firstPrincipal, firstAt, ...rest }) => ({
      ...rest,
      first:
        firstBy === null || firstPrincipal === null || firstAt === null
          ? null
          : { by: firstBy, principal: firstPrincipal, at: firstAt },
    })),
);

/** How often a request is tried again when the approval that it met is used up before it can be read. */
const ATTEMPTS = 5;

/** Pages go from the oldest on, as a queue; `after` is the id of the last one seen. */
export function approvalStore(link: Link): ApprovalStore {
  const findLive: ApprovalStore['findLive'] = async ({ tenant, sid, callDigest }, now) => {
    const query = link.db
      .selectFrom('approvals')
      .select(COLUMNS)
      .where('tenant', '=', tenant)
      .where('sid', '=', sid)
      .where('call_digest', '=', callDigest)
      .where('live', '=', literal(1))
      .where('expires_at', '>', now);
    return rows.optional(await query.executeTakeFirst());
  };

  const insertUnlessLive = (record: ApprovalRecord, now: number): Promise<boolean> =>
    link.atomically(async ({ db }) => {
      // An expired one makes room; it stays readable until deleteExpired.
      await db
        .updateTable('approvals')
        .set({ live: 0 })
        .where('tenant', '=', record.tenant)
        .where('sid', '=', record.sid)
        .where('call_digest', '=', record.callDigest)
        .where('live', '=', literal(1))
        .where('expires_at', '<=', now)
        .execute();
      const result = await db
        .insertInto('approvals')
        .values({
          tenant: record.tenant,
          id: record.id,
          call_digest: record.callDigest,
          sid: record.sid,
          agent_id: record.agentId,
          owner: record.owner,
          user_id: record.user,
          shown: JSON.stringify(record.shown),
          status: record.status,
          live: record.status === 'used' ? 0 : 1,
          requested_at: record.requestedAt,
          expires_at: record.expiresAt,
          decided_at: record.decidedAt,
          decided_by: record.decidedBy,
          reason: record.reason,
          approvers_needed: record.approversNeeded,
          first_by: record.first?.by ?? null,
          first_principal: record.first?.principal ?? null,
          first_at: record.first?.at ?? null,
          chain: JSON.stringify(record.chain),
        })
        .onConflict((conflict) =>
          conflict.columns(['tenant', 'sid', 'call_digest']).where('live', '=', literal(1)).doNothing(),
        )
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    });

  return {
    findLive,
    async insertOrGet(record, now) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        if (await insertUnlessLive(record, now)) return record;
        const live = await findLive(record, now);
        if (live !== null) return live;
      }
      throw new Error(`approval ${record.id}: the live one for this call kept changing`);
    },
    async get(tenant, id) {
      const query = link.db
        .selectFrom('approvals')
        .select(COLUMNS)
        .where('tenant', '=', tenant)
        .where('id', '=', id);
      return rows.optional(await query.executeTakeFirst());
    },
    async list(tenant, { status, user, after, limit }) {
      let query = link.db
        .selectFrom('approvals')
        .select(COLUMNS)
        .where('tenant', '=', tenant)
        .where('id', '>', after ?? '');
      if (status !== undefined) query = query.where('status', '=', status);
      if (user !== undefined) query = query.where('user_id', '=', user);
      return rows.many(await query.orderBy('id').limit(limit).execute());
    },
    async decideFirst({ tenant, id, first }, now) {
      const result = await link.db
        .updateTable('approvals')
        .set({ first_by: first.by, first_principal: first.principal, first_at: first.at })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('status', '=', 'pending')
        .where('approvers_needed', '=', 2)
        .where('first_by', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async end(what, { by, reason }, now) {
      let query = link.db
        .updateTable('approvals')
        .set({ status: 'denied', live: 0, decided_at: now, decided_by: by, reason })
        .where('tenant', '=', what.tenant)
        .where('live', '=', literal(1))
        .where('status', 'in', ['pending', 'approved'])
        .where('expires_at', '>', now);
      switch (what.kind) {
        case 'agent':
          // Its own, and those of agents that it passed something on to: it stands in the lineage of the passport that asked.
          query = query.where(({ or, eb, exists, selectFrom }) =>
            or([
              eb('agent_id', '=', what.value),
              exists(
                selectFrom('passports')
                  .select('passports.jti')
                  .where('passports.tenant', '=', what.tenant)
                  .whereRef('passports.agent_id', '=', 'approvals.agent_id')
                  .whereRef('passports.chain', '=', 'approvals.chain')
                  .where('passports.lineage', 'like', named(what.value)),
              ),
            ]),
          );
          break;
        case 'owner':
          query = query.where('owner', '=', what.value);
          break;
        case 'user':
          query = query.where('user_id', '=', what.value);
          break;
        case 'session':
          query = query.where('sid', '=', what.value);
          break;
        case 'hop':
          query = query.where('chain', 'like', named(what.value));
          break;
        case 'everything':
          break;
      }
      return rows.many(await query.returning(COLUMNS).execute());
    },
    async decide({ tenant, id, status, by, reason, expiresAt, after }, now) {
      let query = link.db
        .updateTable('approvals')
        .set({
          status,
          decided_at: now,
          decided_by: by,
          reason,
          ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
        })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('status', '=', 'pending')
        .where('expires_at', '>', now);
      // Where two are needed, no single yes passes, whoever asks the store.
      if (status === 'approved') {
        query =
          after === undefined
            ? query.where('approvers_needed', '=', 1)
            : query.where('first_principal', '=', after.principal);
      }
      const result = await query.executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async use({ tenant, id, callDigest }, now) {
      const result = await link.db
        .updateTable('approvals')
        .set({ status: 'used', live: 0 })
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('call_digest', '=', callDigest)
        .where('status', '=', 'approved')
        .where('expires_at', '>', now)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async deleteExpired(before) {
      const result = await link.db
        .deleteFrom('approvals')
        .where('expires_at', '<=', before)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

/** A pattern for JSON lists that an id stands in; ids of ours have no character that means something in either. */
function named(id: string): string {
  return `%"${id.replaceAll(/[^a-z0-9_]/g, '')}"%`;
}
