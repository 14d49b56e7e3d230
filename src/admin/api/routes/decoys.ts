import { z } from 'zod';
import { slicePage } from '../pages.ts';
import { defineRoute, type Route } from '../route.ts';
import {
  empty,
  identified,
  identifier,
  itemName,
  line,
  moment,
  pageOf,
  pageQuery,
  severity,
} from '../schemas.ts';

const decoy = z
  .object({
    id: z.string(),
    kind: z.enum(['credential', 'value', 'host']),
    name: z.string(),
    value: z.string().describe('What to lay out; it is worth nothing elsewhere.'),
    sid: z.string().nullable(),
    severity,
    plantedAt: moment,
    plantedBy: z.string(),
  })
  .meta({ id: 'Decoy' });

export const decoyRoutes: readonly Route[] = [
  defineRoute({
    method: 'get',
    path: '/decoys',
    summary: 'List decoys.',
    roles: ['admin', 'auditor'],
    query: pageQuery,
    result: pageOf(decoy),
    handle: async ({ query }, { rooms, tenant }) =>
      slicePage({ list: 'decoys', ...query }, await rooms.decoys.list(tenant), ({ id }) => id),
  }),
  defineRoute({
    method: 'post',
    path: '/decoys',
    summary: 'Plant a decoy; without a value, one is generated.',
    roles: ['admin'],
    body: z.strictObject({
      kind: decoy.shape.kind,
      name: itemName,
      value: line(500).optional(),
      sid: identifier.nullable().default(null).describe('Session in which it is laid out; null: in all.'),
      severity: severity.default('critical'),
    }),
    result: decoy,
    status: 201,
    handle: ({ body }, { rooms, tenant, by }) => {
      const { value, ...rest } = body;
      return rooms.decoys.plant({ tenant, ...rest, ...(value === undefined ? {} : { value }) }, by);
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/decoys/:id',
    summary: 'Remove a decoy.',
    roles: ['admin'],
    params: identified,
    result: empty,
    status: 204,
    handle: async ({ params }, { rooms, tenant, by }) => {
      await rooms.decoys.remove(tenant, params.id, by);
      return null;
    },
  }),
];
