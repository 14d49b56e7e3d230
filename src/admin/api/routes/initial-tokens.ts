import { z } from 'zod';
import { slicePage } from '../pages.ts';
import { revealOnce } from '../reveal.ts';
import { defineRoute, type Route } from '../route.ts';
import { empty, identified, itemName, line, moment, pageOf, pageQuery, scopes } from '../schemas.ts';

const initialToken = z
  .object({
    id: z.string(),
    name: z.string(),
    owner: z.string(),
    scopes: z.array(z.string()).readonly(),
    maxUses: z.int(),
    used: z.int(),
    createdAt: moment,
    createdBy: z.string(),
    expiresAt: moment,
  })
  .meta({ id: 'InitialToken' });

const HOUR_MS = 3_600_000;

/** Tokens with which agents register themselves (RFC 7591). */
export const initialTokenRoutes: readonly Route[] = [
  defineRoute({
    method: 'post',
    path: '/initial-tokens',
    summary:
      'Create a token with which agents register themselves, for one owner and with these scopes at most.',
    roles: ['admin'],
    body: z.strictObject({
      name: itemName,
      owner: line(200),
      scopes,
      maxUses: z.int().min(1).max(10_000).default(1).describe('How many agents may register with it.'),
      expiresAt: moment.nullable().default(null).describe('At most a year away; null: in an hour.'),
    }),
    example: { name: 'ci-runners', owner: 'platform-team', scopes: ['github:read'], maxUses: 20 },
    result: initialToken.extend({ token: z.string().describe('Shown once.') }),
    status: 201,
    handle: async ({ body }, { rooms, by, now }) => {
      const wanted = { ...body, expiresAt: body.expiresAt ?? now + HOUR_MS };
      const { view, token } = await rooms.passport.initialTokens.create(wanted, by);
      return { ...view, token: revealOnce(token) };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/initial-tokens',
    summary: 'List the tokens with which agents register themselves; the tokens themselves are not kept.',
    roles: ['admin', 'auditor'],
    query: pageQuery,
    result: pageOf(initialToken),
    handle: async ({ query }, { rooms }) =>
      slicePage(
        { list: 'initial-tokens', ...query },
        await rooms.passport.initialTokens.list(),
        ({ id }) => id,
      ),
  }),
  defineRoute({
    method: 'delete',
    path: '/initial-tokens/:id',
    summary: 'Delete such a token; who registered with it stays.',
    roles: ['admin'],
    params: identified,
    result: empty,
    status: 204,
    handle: async ({ params }, { rooms, by }) => {
      await rooms.passport.initialTokens.delete(params.id, by);
      return null;
    },
  }),
];
