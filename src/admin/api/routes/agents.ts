import { z } from 'zod';
import { Refusal } from '../../../core/index.ts';
import type { AgentRecord } from '../../../passport/index.ts';
import { fetchPage } from '../pages.ts';
import { defineRoute, type Route, type RouteContext } from '../route.ts';
import {
  empty,
  identified,
  itemName,
  jsonObject,
  line,
  moment,
  pageOf,
  pageQuery,
  reason,
  scopes,
} from '../schemas.ts';

const jwks = z.array(jsonObject).max(10).describe('Public keys as JWKs with a `kid` each.');

const agent = z
  .object({
    id: z.string(),
    name: z.string(),
    owner: z.string(),
    scopes: z.array(z.string()).readonly(),
    purpose: z.string().nullable(),
    status: z.enum(['active', 'quarantined', 'deleted']),
    jwks: z.array(jsonObject).readonly(),
    secrets: z
      .array(z.object({ id: z.string(), createdAt: moment, expiresAt: moment.nullable() }))
      .readonly()
      .describe('Client secrets by id; the secrets themselves are not kept.'),
    createdAt: moment,
    updatedAt: moment,
    revision: z.int(),
  })
  .meta({ id: 'Agent' });

const withSecret = z.object({ agent, secret: z.string().nullable().describe('Shown once.') });
const READ = ['admin', 'auditor', 'approver'] as const;
const because = z.strictObject({ reason }).prefault({});

export const agentRoutes: readonly Route[] = [
  defineRoute({
    method: 'post',
    path: '/agents',
    summary: 'Register an agent, with public keys or with a generated client secret.',
    roles: ['admin'],
    body: z
      .strictObject({
        name: itemName,
        owner: line(200),
        scopes,
        purpose: line(500).nullable().default(null),
        jwks: jwks.default([]),
        withSecret: z.boolean().default(false),
      })
      .refine(({ jwks: keys, withSecret: secret }) => keys.length > 0 || secret, {
        error: 'needs a public key in jwks, or withSecret: true',
      }),
    result: withSecret,
    status: 201,
    handle: ({ body }, { rooms, tenant, by }) => rooms.agents.register({ tenant, ...body }, by),
  }),
  defineRoute({
    method: 'get',
    path: '/agents',
    summary: 'List agents.',
    roles: READ,
    query: pageQuery,
    result: pageOf(agent),
    handle: ({ query }, { rooms, tenant }) =>
      fetchPage(
        query,
        (page) => rooms.agents.list(tenant, page),
        ({ id }) => id,
      ),
  }),
  defineRoute({
    method: 'get',
    path: '/agents/:id',
    summary: 'One agent, by id or by name.',
    roles: READ,
    params: identified,
    result: agent,
    handle: ({ params }, context) => find(params.id, context),
  }),
  defineRoute({
    method: 'patch',
    path: '/agents/:id',
    summary: 'Change scopes, purpose or public keys; what is not named stays.',
    roles: ['admin'],
    params: identified,
    body: z
      .strictObject({
        scopes: scopes.optional(),
        purpose: line(500).nullable().optional(),
        jwks: jwks.optional(),
      })
      .refine((change) => Object.keys(change).length > 0, { error: 'names nothing to change' }),
    result: agent,
    handle: async ({ params, body }, context) => {
      const { id } = await find(params.id, context);
      const change = {
        tenant: context.tenant,
        id,
        ...(body.scopes === undefined ? {} : { scopes: body.scopes }),
        ...(body.purpose === undefined ? {} : { purpose: body.purpose }),
        ...(body.jwks === undefined ? {} : { jwks: body.jwks }),
      };
      return context.rooms.agents.update(change, context.by);
    },
  }),
  defineRoute({
    method: 'post',
    path: '/agents/:id/secret',
    summary: 'Generate a new client secret; the ones before stop working.',
    roles: ['admin'],
    params: identified,
    result: withSecret,
    handle: async ({ params }, context) => {
      const { id } = await find(params.id, context);
      return context.rooms.agents.rotateSecret({ tenant: context.tenant, id }, context.by);
    },
  }),
  defineRoute({
    method: 'post',
    path: '/agents/:id/quarantine',
    summary: 'Refuse its passports and issue no new ones until it is released.',
    roles: ['admin'],
    params: identified,
    body: because,
    result: agent,
    handle: async ({ params, body }, context) => {
      const { id } = await find(params.id, context);
      return context.rooms.agents.quarantine({ tenant: context.tenant, id, reason: body.reason }, context.by);
    },
  }),
  defineRoute({
    method: 'post',
    path: '/agents/:id/release',
    summary: 'Lift the quarantine.',
    roles: ['admin'],
    params: identified,
    body: because,
    result: agent,
    handle: async ({ params, body }, context) => {
      const { id } = await find(params.id, context);
      return context.rooms.agents.release({ tenant: context.tenant, id, reason: body.reason }, context.by);
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/agents/:id',
    summary: 'Remove an agent; its passports stop working.',
    roles: ['admin'],
    params: identified,
    result: empty,
    status: 204,
    handle: async ({ params }, context) => {
      const { id } = await find(params.id, context);
      await context.rooms.agents.remove({ tenant: context.tenant, id }, context.by);
      return null;
    },
  }),
];

async function find(idOrName: string, { rooms, tenant }: RouteContext): Promise<AgentRecord> {
  const found = (await rooms.agents.get(tenant, idOrName)) ?? (await rooms.agents.byName(tenant, idOrName));
  if (found !== null && found.status !== 'deleted') return found;
  throw new Refusal('not_found', { detail: 'There is no agent with this id or name.' });
}
