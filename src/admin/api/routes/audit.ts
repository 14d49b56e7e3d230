import { z } from 'zod';
import { type AuditRecord, EVENT_TYPES } from '../../../audit/index.ts';
import type { AuditEventType } from '../../../core/index.ts';
import { defineRoute, defineStream, type Route, type RouteContext } from '../route.ts';
import { jsonObject } from '../schemas.ts';

const record = z
  .object({
    sequence: z.int(),
    node: z.string(),
    previous: z.string().describe('Hash of the record before, hex.'),
    hash: z.string(),
    event: z.object({ type: z.string(), tenant: z.string(), at: z.int(), data: jsonObject }),
  })
  .meta({ id: 'AuditRecord' });

const eventType = z
  .custom<AuditEventType>((text) => typeof text === 'string' && Object.hasOwn(EVENT_TYPES, text), {
    error: 'must be a type of audit event, such as call.refused',
  })
  .meta({ type: 'string', examples: ['call.refused'] });

const READ = ['admin', 'auditor'] as const;
const sequence = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export const auditRoutes: readonly Route[] = [
  defineRoute({
    method: 'get',
    path: '/audit',
    summary: 'How far the audit log of this node goes.',
    roles: READ,
    result: z.object({ node: z.string(), lastSequence: z.int() }),
    handle: async (_, { rooms: { audit } }) => ({ node: audit.node, lastSequence: audit.lastSequence }),
  }),
  defineRoute({
    method: 'get',
    path: '/audit/records',
    summary: 'Records in order; `next` is where to go on, also at the end of the log.',
    roles: READ,
    query: z.strictObject({
      after: sequence.nullable().default(null).describe('Sequence number; without it, the last records.'),
      limit: z.coerce.number().int().min(1).max(1000).default(100),
      type: eventType.optional(),
    }),
    result: z.object({ items: z.array(record).readonly(), next: z.int() }),
    handle: async ({ query }, context) => {
      const { audit } = context.rooms;
      const after = query.after ?? Math.max(0, audit.lastSequence - query.limit);
      const items: AuditRecord[] = [];
      const types = query.type === undefined ? {} : { types: [query.type] };
      let next = Math.max(after, audit.lastSequence);
      for await (const one of audit.read({ afterSequence: after, signal: context.signal, ...types })) {
        if (!isVisible(one, context)) continue;
        items.push(one);
        if (items.length < query.limit) continue;
        next = one.sequence;
        break;
      }
      return { items: items.map(show), next };
    },
  }),
  defineStream({
    path: '/audit/export',
    summary: 'All records from a place on, one JSON object a line; with `follow` also those to come.',
    roles: READ,
    query: z.strictObject({
      after: sequence.default(0),
      follow: z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(false),
    }),
    contentType: 'application/x-ndjson',
    async *stream({ after, follow }, context) {
      const from = { afterSequence: after, follow, signal: context.signal };
      for await (const one of context.rooms.audit.read(from)) {
        if (isVisible(one, context)) yield `${JSON.stringify(one)}\n`;
      }
    },
  }),
  defineRoute({
    method: 'post',
    path: '/audit/checkpoint',
    summary: 'Sign how long the log is and what it holds; keep the note elsewhere to prove tail cuts.',
    roles: READ,
    result: z.object({ origin: z.string(), size: z.int(), root: z.string(), note: z.string() }),
    handle: (_, { rooms }) => rooms.audit.checkpoint(),
  }),
  defineRoute({
    method: 'post',
    path: '/audit/verify',
    summary: 'Check chain, tree and checkpoints of this node from the first record on.',
    roles: READ,
    body: z.strictObject({ checkpoint: z.string().max(8192).nullable().default(null) }).prefault({}),
    result: jsonObject,
    handle: async ({ body }, { rooms }) => ({ ...(await rooms.verifyAudit(body.checkpoint)) }),
  }),
];

/** A tenant sees its own records and those of the gate as a whole. */
function isVisible({ event }: AuditRecord, { tenant }: RouteContext): boolean {
  return event.tenant === tenant || event.tenant === '*';
}

function show(one: AuditRecord): z.input<typeof record> {
  const { type, tenant, at, data } = one.event;
  return { ...one, event: { type, tenant, at, data: { ...data } } };
}
