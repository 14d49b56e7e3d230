import { z } from 'zod';
import { Refusal } from '../../../core/index.ts';
import { fetchPage } from '../pages.ts';
import { defineRoute, type Route, type RouteContext } from '../route.ts';
import { identified, jsonObject, moment, pageOf, pageQuery, reason } from '../schemas.ts';

const status = z.enum(['pending', 'approved', 'denied', 'used']);

const approval = z
  .object({
    id: z.string(),
    status,
    agentId: z.string(),
    owner: z.string(),
    user: z.string().nullable(),
    sid: z.string(),
    callDigest: z.string(),
    shown: jsonObject.describe('What the person who decides is shown.'),
    requestedAt: moment,
    expiresAt: moment,
    decidedAt: moment.nullable(),
    decidedBy: z.string().nullable(),
    reason: z.string().nullable(),
    approversNeeded: z
      .union([z.literal(1), z.literal(2)])
      .describe('Two: different people, and the yes of one opens nothing.'),
    first: z
      .object({ by: z.string(), at: moment })
      .nullable()
      .describe('Who said yes first, where two are needed.'),
  })
  .meta({ id: 'Approval' });

const ALL = ['admin', 'approver', 'auditor'] as const;
const DECIDE = ['admin', 'approver'] as const;
const because = z.strictObject({ reason }).prefault({});

export const approvalRoutes: readonly Route[] = [
  defineRoute({
    method: 'get',
    path: '/approvals',
    summary: 'List held calls, the longest waiting first.',
    roles: ALL,
    query: pageQuery.extend({ status: status.optional() }),
    result: pageOf(approval),
    handle: ({ query }, { rooms, tenant }) =>
      fetchPage(
        { list: 'approvals', ...query },
        (page) =>
          rooms.approvals.list(tenant, {
            ...page,
            ...(query.status === undefined ? {} : { status: query.status }),
          }),
        ({ id }) => id,
      ),
  }),
  defineRoute({
    method: 'get',
    path: '/approvals/:id',
    summary: 'One held call.',
    roles: ALL,
    params: identified,
    result: approval,
    handle: async ({ params }, { rooms, tenant }) => {
      const found = await rooms.approvals.get(tenant, params.id);
      if (found === null) throw new Refusal('not_found', { detail: 'There is no approval with this id.' });
      return found;
    },
  }),
  defineRoute({
    method: 'get',
    path: '/approvals/:id/wait',
    summary: 'Answers once it is decided, or after the time, whatever comes first.',
    roles: ALL,
    params: identified,
    query: z.strictObject({ timeoutSeconds: z.coerce.number().int().min(0).max(300).default(30) }),
    result: approval,
    handle: ({ params, query }, { rooms, tenant, signal }) =>
      rooms.approvals.wait({ tenant, id: params.id, timeoutMs: query.timeoutSeconds * 1000, signal }),
  }),
  defineRoute({
    method: 'post',
    path: '/approvals/:id/approve',
    summary:
      'Let exactly this call pass, once. Where two people are needed, the first yes leaves it pending; the second must come from another token, made before the call was held.',
    roles: DECIDE,
    params: identified,
    body: because,
    result: approval,
    handle: ({ params, body }, context) => decide('approved', params.id, body.reason, context),
  }),
  defineRoute({
    method: 'post',
    path: '/approvals/:id/deny',
    summary: 'Refuse this call.',
    roles: DECIDE,
    params: identified,
    body: because,
    result: approval,
    handle: ({ params, body }, context) => decide('denied', params.id, body.reason, context),
  }),
];

function decide(
  status: 'approved' | 'denied',
  id: string,
  reason: string | null,
  { rooms, tenant, by, admin }: RouteContext,
): Promise<z.input<typeof approval>> {
  // A token is the person who holds it; that one person holds two, the gate can't see.
  const approver = { by, principal: admin.tokenId, since: admin.createdAt };
  return rooms.approvals.decide({ tenant, id, status, reason, ...approver });
}
