import { z } from 'zod';
import { Refusal } from '../../../core/index.ts';
import { fetchPage } from '../pages.ts';
import { defineRoute, type Route } from '../route.ts';
import { identified, identifier, jsonObject, moment, pageOf, pageQuery, reason } from '../schemas.ts';

const grant = z
  .object({
    id: z.string(),
    userId: z.string(),
    agentId: z.string(),
    origin: z
      .enum(['code', 'device'])
      .describe('Whether a browser led the person here, or a code that they typed.'),
    scopes: z.array(z.string()).readonly(),
    details: z.array(jsonObject).readonly().describe('Authorization details (RFC 9396).'),
    audience: z.string(),
    sid: z.string(),
    status: z.enum(['live', 'ended']),
    createdAt: moment,
    expiresAt: moment,
    usedAt: moment.nullable().describe('When the agent last got a passport by it.'),
    endedAt: moment.nullable(),
    endedBy: z.string().nullable(),
    endReason: z.string().nullable(),
  })
  .meta({ id: 'Grant' });

const READ = ['admin', 'auditor'] as const;

/** What people let agents do in their name. */
export const grantRoutes: readonly Route[] = [
  defineRoute({
    method: 'get',
    path: '/grants',
    summary:
      'List what people let agents do in their name, newest first; what is live unless told otherwise.',
    roles: READ,
    query: pageQuery.extend({
      user: identifier.optional().describe('Id of the user.'),
      agent: identifier.optional().describe('Id of the agent.'),
      live: z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(true),
    }),
    result: pageOf(grant),
    handle: ({ query }, { rooms }) =>
      fetchPage(
        { list: 'grants', ...query },
        (page) =>
          rooms.passport.personGrants.list({
            ...page,
            ...(query.user === undefined ? {} : { userId: query.user }),
            ...(query.agent === undefined ? {} : { agentId: query.agent }),
            liveOnly: query.live,
          }),
        ({ id }) => id,
      ),
  }),
  defineRoute({
    method: 'get',
    path: '/grants/:id',
    summary: 'What one person let one agent do.',
    roles: READ,
    params: identified,
    result: grant,
    handle: async ({ params }, { rooms }) => {
      const found = await rooms.passport.personGrants.get(params.id);
      if (found === null) throw new Refusal('not_found', { detail: 'No grant has this id.' });
      return found;
    },
  }),
  defineRoute({
    method: 'post',
    path: '/grants/:id/end',
    summary: 'End it, with its passports and all that was exchanged from them.',
    roles: ['admin'],
    params: identified,
    body: z.strictObject({ reason }).prefault({}),
    result: grant,
    handle: ({ params, body }, { rooms, by }) => rooms.passport.personGrants.end(params.id, by, body.reason),
  }),
];
