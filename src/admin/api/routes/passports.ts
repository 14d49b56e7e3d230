import { z } from 'zod';
import { Refusal } from '../../../core/index.ts';
import { fetchPage } from '../pages.ts';
import { defineRoute, type Route } from '../route.ts';
import { identifier, jsonObject, line, moment, pageOf, pageQuery, reason } from '../schemas.ts';

const passport = z
  .object({
    jti: z.string(),
    agentId: z.string(),
    owner: z.string(),
    user: z.string().nullable(),
    sid: z.string(),
    chain: z.array(z.string()).readonly(),
    scope: z.string(),
    audience: z.string(),
    jkt: z.string().nullable(),
    x5t: z.string().nullable().describe('Hash of the TLS client certificate that it is bound to.'),
    grant: z.string(),
    issuedAt: moment,
    expiresAt: moment,
    parent: z.string().nullable().describe('jti of the passport that it was exchanged from.'),
    lineage: z.array(z.string()).readonly().describe('Agents of its chain, the one that acts first.'),
    details: z.array(jsonObject).readonly().describe('Authorization details (RFC 9396).'),
    kid: z.string().nullable().describe('The key that signed it.'),
    credential: z.string().nullable().describe('The key or secret that its client authenticated with.'),
    statusIndex: z.number().nullable().describe('Its entry in the status lists.'),
  })
  .meta({ id: 'Passport' });

const revocation = z
  .object({
    id: z.string(),
    kind: z.enum(['token', 'hop', 'session', 'agent', 'owner', 'user', 'credential', 'key']),
    value: z.string(),
    revokedAt: moment,
    expiresAt: moment.nullable(),
    by: z.string(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'Revocation' });

const READ = ['admin', 'auditor'] as const;

export const passportRoutes: readonly Route[] = [
  defineRoute({
    method: 'get',
    path: '/passports',
    summary: 'List passports, newest first; the live ones unless told otherwise.',
    roles: READ,
    query: pageQuery.extend({
      agent: identifier.optional().describe('Id of the agent.'),
      live: z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(true),
    }),
    result: pageOf(passport),
    handle: ({ query }, { rooms }) =>
      fetchPage(
        { list: 'passports', ...query },
        (page) =>
          rooms.passport.passports.list({
            ...page,
            ...(query.agent === undefined ? {} : { agentId: query.agent }),
            liveOnly: query.live,
          }),
        ({ jti }) => jti,
      ),
  }),
  defineRoute({
    method: 'get',
    path: '/passports/:jti',
    summary: 'What is known of one passport; never the token itself.',
    roles: READ,
    params: z.strictObject({ jti: identifier }),
    result: passport,
    handle: async ({ params }, { rooms }) => {
      const found = await rooms.passport.passports.get(params.jti);
      if (found === null) throw new Refusal('not_found', { detail: 'There is no passport with this jti.' });
      return found;
    },
  }),
  defineRoute({
    method: 'post',
    path: '/revocations',
    summary:
      'Revoke a passport (token) or a hop with all behind it, a session, all passports of an agent, an owner or a user (agents are quarantined then), a credential (<agent id>/<kid or secret id>), or a signing key. Effective and recorded when it answers.',
    roles: ['admin'],
    body: z.strictObject({ kind: revocation.shape.kind, value: line(200), reason }),
    result: revocation,
    status: 201,
    handle: ({ body }, { rooms, tenant, by }) => rooms.passport.revocations.revoke({ tenant, ...body, by }),
  }),
  defineRoute({
    method: 'get',
    path: '/revocations',
    summary: 'List revocations.',
    roles: READ,
    query: pageQuery,
    result: pageOf(revocation),
    handle: ({ query }, { rooms }) =>
      fetchPage(
        { list: 'revocations', ...query },
        (page) => rooms.passport.revocations.list(page),
        ({ id }) => id,
      ),
  }),
];
