import { z } from 'zod';
import type { PassportRecord, PassportStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';
import { json, jsonObject, rowReader, strings } from './columns.ts';

const COLUMNS = [
  'tenant',
  'jti',
  'agent_id as agentId',
  'owner',
  'user_id as user',
  'sid',
  'chain',
  'scope',
  'audience',
  'jkt',
  'x5t',
  'grant_kind as grant',
  'issued_at as issuedAt',
  'expires_at as expiresAt',
  'parent',
  'lineage',
  'details',
  'kid',
  'credential',
  'status_index as statusIndex',
] as const;

const rows = rowReader<PassportRecord>(
  'passports',
  z.strictObject({
    tenant: z.string(),
    jti: z.string(),
    agentId: z.string(),
    owner: z.string(),
    user: z.string().nullable(),
    sid: z.string(),
    chain: json(strings),
    scope: z.string(),
    audience: z.string(),
    jkt: z.string().nullable(),
    x5t: z.string().nullable(),
    grant: z.string(),
    issuedAt: z.number(),
    expiresAt: z.number(),
    parent: z.string().nullable(),
    lineage: json(strings),
    details: json(z.array(jsonObject)),
    kid: z.string().nullable(),
    credential: z.string().nullable(),
    statusIndex: z.number().nullable(),
  }),
);

export function passportRow(passport: PassportRecord) {
  return {
    tenant: passport.tenant,
    jti: passport.jti,
    agent_id: passport.agentId,
    owner: passport.owner,
    user_id: passport.user,
    sid: passport.sid,
    chain: JSON.stringify(passport.chain),
    scope: passport.scope,
    audience: passport.audience,
    jkt: passport.jkt,
    x5t: passport.x5t,
    grant_kind: passport.grant,
    issued_at: passport.issuedAt,
    expires_at: passport.expiresAt,
    parent: passport.parent,
    lineage: JSON.stringify(passport.lineage),
    details: JSON.stringify(passport.details),
    kid: passport.kid,
    credential: passport.credential,
    status_index: passport.statusIndex,
  };
}

/** Pages go from the newest back; `after` is the jti of the last one seen. */
export function passportStore({ db }: Link): PassportStore {
  return {
    async insert(passport) {
      await db.insertInto('passports').values(passportRow(passport)).execute();
    },
    async get(tenant, jti) {
      const query = db
        .selectFrom('passports')
        .select(COLUMNS)
        .where('tenant', '=', tenant)
        .where('jti', '=', jti);
      return rows.optional(await query.executeTakeFirst());
    },
    async list(tenant, { agentId, userId, liveAt, after, limit }) {
      let query = db.selectFrom('passports').select(COLUMNS).where('tenant', '=', tenant);
      if (agentId !== undefined) query = query.where('agent_id', '=', agentId);
      if (userId !== undefined) query = query.where('user_id', '=', userId);
      if (liveAt !== undefined) query = query.where('expires_at', '>', liveAt);
      if (after !== null) {
        query = query.where(({ eb, refTuple, selectFrom }) =>
          eb(
            refTuple('issued_at', 'jti'),
            '<',
            selectFrom('passports as last')
              .select(['last.issued_at', 'last.jti'])
              .where('last.tenant', '=', tenant)
              .where('last.jti', '=', after)
              .$asTuple('issued_at', 'jti'),
          ),
        );
      }
      return rows.many(
        await query.orderBy('issued_at', 'desc').orderBy('jti', 'desc').limit(limit).execute(),
      );
    },
    async withStatus(tenant, { from, to, liveAt }) {
      const query = db
        .selectFrom('passports')
        .select(COLUMNS)
        .where('tenant', '=', tenant)
        .where('status_index', 'is not', null)
        .where('status_index', '>=', from)
        .where('status_index', '<', to)
        .where('expires_at', '>', liveAt);
      return rows.many(await query.execute());
    },
    async deleteExpired(before) {
      const result = await db.deleteFrom('passports').where('expires_at', '<=', before).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
