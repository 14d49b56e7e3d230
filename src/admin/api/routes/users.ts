import { z } from 'zod';
import { Refusal } from '../../../core/index.ts';
import { fetchPage } from '../pages.ts';
import { revealOnce } from '../reveal.ts';
import { defineRoute, type Route, type RouteContext } from '../route.ts';
import { empty, identified, line, moment, pageOf, pageQuery } from '../schemas.ts';

const user = z
  .object({
    id: z.string(),
    name: z.string(),
    displayName: z.string(),
    status: z.enum(['active', 'disabled']),
    hasPassword: z.boolean(),
    passkeys: z.int(),
    identities: z
      .array(z.object({ provider: z.string().nullable(), subject: z.string() }))
      .readonly()
      .describe('Who they are at OpenID providers; null: one that the settings name no more.'),
    createdAt: moment,
    updatedAt: moment,
  })
  .meta({ id: 'User' });

const upstream = z.strictObject({
  provider: z
    .string()
    .min(1)
    .max(31)
    .describe('A provider of people.providers.')
    .meta({ examples: ['corp'] }),
  subject: z
    .string()
    .min(1)
    .max(255)
    .describe('Who the user is there: the `sub` of its tokens.')
    .meta({ examples: ['248289761001'] }),
});

const withLink = z.object({
  user,
  link: z.string().describe('Shown once: who opens it chooses how the user signs in.'),
  expiresAt: moment,
});

const READ = ['admin', 'auditor'] as const;

/** People who may sign in and let agents act in their name. */
export const userRoutes: readonly Route[] = [
  defineRoute({
    method: 'post',
    path: '/users',
    summary: 'Add a user, who may sign in and let agents act in their name.',
    roles: ['admin'],
    body: z.strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9._@+-]{0,126}$/, 'must be 1 to 127 of a-z, 0-9 and . _ @ + -')
        .meta({ examples: ['ada@example.com'] })
        .describe('What the user types to sign in.'),
      displayName: line(100).meta({ examples: ['Ada Lovelace'] }),
      upstream: upstream.optional(),
    }),
    result: withLink,
    status: 201,
    handle: async ({ body: { upstream: named, ...rest } }, { rooms, by }) => {
      const wanted = { ...rest, ...(named === undefined ? {} : { upstream: named }) };
      const { user: added, link, expiresAt } = await rooms.users.add(wanted, by);
      return { user: added, link: revealOnce(link), expiresAt };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/users',
    summary: 'List users.',
    roles: READ,
    query: pageQuery,
    result: pageOf(user),
    handle: ({ query }, { rooms }) =>
      fetchPage(
        { list: 'users', ...query },
        (page) => rooms.users.list(page),
        ({ id }) => id,
      ),
  }),
  defineRoute({
    method: 'get',
    path: '/users/:id',
    summary: 'One user.',
    roles: READ,
    params: identified,
    result: user,
    handle: ({ params }, context) => find(params.id, context),
  }),
  defineRoute({
    method: 'post',
    path: '/users/:id/disable',
    summary: 'Sign a user out everywhere, and end what agents hold in their name.',
    roles: ['admin'],
    params: identified,
    result: user,
    handle: ({ params }, { rooms, by }) => rooms.users.disable(params.id, by),
  }),
  defineRoute({
    method: 'post',
    path: '/users/:id/enable',
    summary: 'Let a disabled user sign in again.',
    roles: ['admin'],
    params: identified,
    result: user,
    handle: ({ params }, { rooms, by }) => rooms.users.enable(params.id, by),
  }),
  defineRoute({
    method: 'post',
    path: '/users/:id/reset',
    summary: 'Take all ways to sign in away, and make a link to choose a new one.',
    roles: ['admin'],
    params: identified,
    result: withLink,
    handle: async ({ params }, { rooms, by }) => {
      const { user: changed, link, expiresAt } = await rooms.users.reset(params.id, by);
      return { user: changed, link: revealOnce(link), expiresAt };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/users/:id/link',
    summary: 'Let a user sign in through an OpenID provider.',
    roles: ['admin'],
    params: identified,
    body: upstream,
    result: user,
    handle: ({ params, body }, { rooms, by }) => rooms.users.link(params.id, body, by),
  }),
  defineRoute({
    method: 'post',
    path: '/users/:id/unlink',
    summary: 'Take an OpenID provider from a user, who is signed out everywhere.',
    roles: ['admin'],
    params: identified,
    body: upstream,
    result: user,
    handle: ({ params, body }, { rooms, by }) => rooms.users.unlink(params.id, body, by),
  }),
  defineRoute({
    method: 'delete',
    path: '/users/:id',
    summary: 'Remove a user, and end what agents hold in their name.',
    roles: ['admin'],
    params: identified,
    result: empty,
    status: 204,
    handle: async ({ params }, { rooms, by }) => {
      await rooms.users.remove(params.id, by);
      return null;
    },
  }),
];

async function find(id: string, { rooms }: RouteContext) {
  const found = await rooms.users.get(id);
  if (found === null) throw new Refusal('not_found', { detail: 'No user has this id.' });
  return found;
}
