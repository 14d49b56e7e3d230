import { z } from 'zod';
import type { AgentRecord, AgentStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';
import { flag, json, jsonObject, literal, rowReader, strings } from './columns.ts';

const COLUMNS = [
  'tenant',
  'id',
  'name',
  'owner',
  'jwks',
  'secrets',
  'certificates',
  'ratchet',
  'scopes',
  'redirect_uris as redirectUris',
  'device',
  'public_client as publicClient',
  'purpose',
  'status',
  'created_at as createdAt',
  'updated_at as updatedAt',
  'revision',
] as const;

const rows = rowReader<AgentRecord>(
  'agents',
  z.strictObject({
    tenant: z.string(),
    id: z.string(),
    name: z.string(),
    owner: z.string(),
    jwks: json(z.array(jsonObject)),
    secrets: json(
      z.array(
        z.strictObject({
          id: z.string(),
          hash: z.string(),
          createdAt: z.number(),
          expiresAt: z.number().nullable(),
        }),
      ),
    ),
    certificates: json(
      z.array(z.strictObject({ x5t: z.string(), subject: z.string(), expiresAt: z.number() })),
    ),
    ratchet: flag,
    scopes: json(strings),
    redirectUris: json(strings),
    device: flag,
    publicClient: flag,
    purpose: z.string().nullable(),
    status: z.enum(['active', 'quarantined', 'deleted']),
    createdAt: z.number(),
    updatedAt: z.number(),
    revision: z.number(),
  }),
);

function toRow(agent: AgentRecord) {
  return {
    tenant: agent.tenant,
    id: agent.id,
    name: agent.name,
    owner: agent.owner,
    jwks: JSON.stringify(agent.jwks),
    secrets: JSON.stringify(agent.secrets),
    certificates: JSON.stringify(agent.certificates),
    ratchet: agent.ratchet ? 1 : 0,
    scopes: JSON.stringify(agent.scopes),
    redirect_uris: JSON.stringify(agent.redirectUris),
    device: agent.device ? 1 : 0,
    public_client: agent.publicClient ? 1 : 0,
    purpose: agent.purpose,
    status: agent.status,
    created_at: agent.createdAt,
    updated_at: agent.updatedAt,
    revision: agent.revision,
  };
}

/** Deleted agents keep their row, and so their id; `get` still shows them, `byName` and `list` don't. */
export function agentStore({ db }: Link): AgentStore {
  return {
    async insert(agent) {
      const result = await db
        .insertInto('agents')
        .values(toRow(agent))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async update(agent) {
      const { tenant, id, ...changed } = toRow(agent);
      const result = await db
        .updateTable('agents')
        .set(changed)
        .where('tenant', '=', tenant)
        .where('id', '=', id)
        .where('revision', '=', agent.revision - 1)
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
    async get(tenant, id) {
      const query = db.selectFrom('agents').select(COLUMNS).where('tenant', '=', tenant).where('id', '=', id);
      return rows.optional(await query.executeTakeFirst());
    },
    async byName(tenant, name) {
      const query = db
        .selectFrom('agents')
        .select(COLUMNS)
        .where('tenant', '=', tenant)
        .where('name', '=', name)
        .where('status', '<>', literal('deleted'));
      return rows.optional(await query.executeTakeFirst());
    },
    async list(tenant, page) {
      const query = db
        .selectFrom('agents')
        .select(COLUMNS)
        .where('tenant', '=', tenant)
        .where('id', '>', page.after ?? '')
        .where('status', '<>', 'deleted')
        .orderBy('id')
        .limit(page.limit);
      return rows.many(await query.execute());
    },
  };
}
