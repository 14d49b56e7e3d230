import { z } from 'zod';
import { Refusal } from '../../../core/index.ts';
import { slicePage } from '../pages.ts';
import { defineRoute, type Route } from '../route.ts';
import { empty, identified, itemName, moment, pageOf, pageQuery } from '../schemas.ts';

const token = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(['admin', 'approver', 'auditor']),
    createdAt: moment,
    expiresAt: moment.nullable(),
  })
  .meta({ id: 'AdminToken' });

export const tokenRoutes: readonly Route[] = [
  defineRoute({
    method: 'get',
    path: '/tokens/self',
    summary: 'The token that this request carries.',
    roles: ['admin', 'approver', 'auditor'],
    result: token.pick({ id: true, name: true, role: true }),
    handle: async (_, { admin }) => ({ id: admin.tokenId, name: admin.name, role: admin.role }),
  }),
  defineRoute({
    method: 'get',
    path: '/tokens',
    summary: 'List admin tokens; the tokens themselves are not kept.',
    roles: ['admin', 'auditor'],
    query: pageQuery,
    result: pageOf(token),
    handle: async ({ query }, { rooms, tenant }) =>
      slicePage({ list: 'tokens', ...query }, await rooms.tokens.list(tenant), ({ id }) => id),
  }),
  defineRoute({
    method: 'post',
    path: '/tokens',
    summary: 'Create an admin token.',
    roles: ['admin'],
    body: z.strictObject({
      name: itemName,
      role: token.shape.role,
      expiresAt: moment.nullable().default(null),
    }),
    result: token.extend({ token: z.string().describe('Shown once.') }),
    status: 201,
    handle: async ({ body }, { rooms, tenant, by, now }) => {
      if (body.expiresAt !== null && body.expiresAt <= now) {
        throw new Refusal('input_invalid', { detail: 'expiresAt is in the past.' });
      }
      const made = await rooms.tokens.create({ tenant, ...body }, by);
      return { ...made.view, token: made.token };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/tokens/:id',
    summary: 'Delete an admin token; it stops at once.',
    roles: ['admin'],
    params: identified,
    result: empty,
    status: 204,
    handle: async ({ params }, { rooms, tenant, by }) => {
      await rooms.tokens.delete({ tenant, id: params.id }, by);
      return null;
    },
  }),
];
