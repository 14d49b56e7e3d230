import { z } from 'zod';
import { Refusal } from '../../../core/index.ts';
import { fetchPage } from '../pages.ts';
import { defineRoute, type Route } from '../route.ts';
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
    summary: 'Let exactly this call pass, once.',
    roles: DECIDE,
    params: identified,
    body: because,
    result: approval,
    handle: ({ params, body }, { rooms, tenant, by }) =>
      rooms.approvals.decide({ tenant, id: params.id, status: 'approved', by, reason: body.reason }),
  }),
  defineRoute({
    method: 'post',
    path: '/approvals/:id/deny',
    summary: 'Refuse this call.',
    roles: DECIDE,
    params: identified,
    body: because,
    result: approval,
    handle: ({ params, body }, { rooms, tenant, by }) =>
      rooms.approvals.decide({ tenant, id: params.id, status: 'denied', by, reason: body.reason }),
  }),
];
