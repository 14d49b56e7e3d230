import { z } from 'zod';
import type { AuditRecord } from '../../../audit/index.ts';
import type { AuditEventMap } from '../../../core/index.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { newest } from '../newest.ts';
import { fetchPage, slicePage } from '../pages.ts';
import { revealOnce } from '../reveal.ts';
import { defineRoute, type Route } from '../route.ts';
import {
  empty,
  identified,
  itemName,
  jsonObject,
  moment,
  pageOf,
  pageQuery,
  serviceName,
  severity,
} from '../schemas.ts';

const alert = z
  .object({
    sequence: z.int().describe('Number of its record in the audit log.'),
    at: moment,
    alertId: z.string(),
    severity,
    title: z.string(),
    callId: z.string().nullable(),
    sid: z.string().nullable(),
    agentId: z.string().nullable(),
    effect: z.enum(['allow', 'hold', 'deny']),
    findings: z.array(jsonObject).readonly(),
    repeats: z.int(),
  })
  .meta({ id: 'Alert' });

const sink = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.string(),
    options: jsonObject,
    minSeverity: severity,
    status: z.enum(['active', 'disabled']),
    signs: z.boolean(),
    createdAt: moment,
  })
  .meta({ id: 'Sink' });

const delivery = z
  .object({
    sinkId: z.string(),
    sequence: z.int(),
    alertId: z.string(),
    attempts: z.int(),
    nextAttemptAt: moment,
    status: z.enum(['pending', 'delivered', 'abandoned']),
    lastError: z.string().nullable(),
  })
  .meta({ id: 'Delivery' });

const READ = ['admin', 'auditor', 'approver'] as const;

export const alertRoutes: readonly Route[] = [
  defineRoute({
    method: 'get',
    path: '/alerts',
    summary: 'The newest alerts, as the audit log tells them; newest first.',
    roles: READ,
    query: pageQuery,
    result: pageOf(alert),
    handle: async ({ query }, { rooms, tenant, signal }) => {
      const after = decodeCursor('alerts', query.cursor);
      const found = await newest(rooms.audit, {
        before: after === null ? null : Number(after),
        limit: query.limit,
        type: 'alert.raised',
        tenant,
        signal,
      });
      const next = found.next === null ? null : encodeCursor('alerts', String(found.next));
      return { items: found.records.flatMap(toAlert), next };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/sinks',
    summary: 'List the sinks that alerts go to.',
    roles: READ,
    query: pageQuery,
    result: pageOf(sink),
    handle: async ({ query }, { rooms, tenant }) =>
      slicePage({ list: 'sinks', ...query }, await rooms.sinks.list(tenant), ({ id }) => id),
  }),
  defineRoute({
    method: 'post',
    path: '/sinks',
    summary: 'Add a sink. Where it signs, the secret is generated and shown once.',
    roles: ['admin'],
    body: z.strictObject({
      name: serviceName,
      kind: itemName,
      options: jsonObject,
      minSeverity: severity.default('low'),
    }),
    result: z.object({ sink, secret: z.string().nullable().describe('Shown once.') }),
    status: 201,
    handle: async ({ body }, { rooms, tenant, by }) => {
      const made = await rooms.sinks.put({ tenant, ...body }, by);
      return { sink: made.sink, secret: made.secret === null ? null : revealOnce(made.secret) };
    },
  }),
  defineRoute({
    method: 'patch',
    path: '/sinks/:id',
    summary: 'Switch a sink off or on.',
    roles: ['admin'],
    params: identified,
    body: z.strictObject({ status: sink.shape.status }),
    result: sink,
    handle: ({ params, body }, { rooms, tenant, by }) =>
      rooms.sinks.setStatus(tenant, params.id, body.status, by),
  }),
  defineRoute({
    method: 'post',
    path: '/sinks/:id/secret',
    summary: 'Generate a new signing secret; for a day, both sign.',
    roles: ['admin'],
    params: identified,
    result: z.object({ secret: z.string().nullable().describe('Shown once.') }),
    handle: async ({ params }, { rooms, tenant, by }) => {
      const secret = await rooms.sinks.rotateSecret({ tenant, id: params.id }, by);
      return { secret: secret === null ? null : revealOnce(secret) };
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/sinks/:id',
    summary: 'Remove a sink; what waits for it is dropped.',
    roles: ['admin'],
    params: identified,
    result: empty,
    status: 204,
    handle: async ({ params }, { rooms, tenant, by }) => {
      await rooms.sinks.delete(tenant, params.id, by);
      return null;
    },
  }),
  defineRoute({
    method: 'post',
    path: '/sinks/:id/test',
    summary: 'Send a test message to this sink now.',
    roles: ['admin'],
    params: identified,
    result: z.object({
      outcome: z.enum(['delivered', 'failed', 'gone']),
      error: z.string().nullable().describe('What went wrong at the receiver.'),
    }),
    handle: async ({ params }, { rooms, tenant, by }) => {
      const attempt = await rooms.sinks.test(tenant, params.id, by);
      return { outcome: attempt.outcome, error: attempt.outcome === 'delivered' ? null : attempt.error };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/deliveries',
    summary: 'Deliveries of alerts to sinks by this node, newest alert first.',
    roles: ['admin', 'auditor'],
    query: pageQuery.extend({ status: delivery.shape.status.optional() }),
    result: pageOf(delivery),
    handle: ({ query }, { rooms }) =>
      fetchPage(
        { list: 'deliveries', ...query },
        ({ limit, after }) =>
          rooms.deliveries({
            limit,
            after: after === null ? null : placeOfDelivery(after),
            ...(query.status === undefined ? {} : { status: query.status }),
          }),
        ({ sequence, sinkId }) => `${sequence} ${sinkId}`,
      ),
  }),
];

/** From a cursor of ours: decodeCursor has checked that the list gave it. */
function placeOfDelivery(key: string): { readonly sequence: number; readonly sinkId: string } {
  const [sequence = '', sinkId = ''] = key.split(' ');
  return { sequence: Number(sequence), sinkId };
}

function toAlert({ sequence, event }: AuditRecord) {
  if (event.type !== 'alert.raised') return [];
  const data: AuditEventMap['alert.raised'] = event.data;
  return [{ ...data, sequence, at: event.at, findings: data.findings.map((finding) => ({ ...finding })) }];
}
