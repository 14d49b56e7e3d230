import { z } from 'zod';
import type { DeliveryRecord, OutboxStore } from '../../alerts/index.ts';
import type { Link } from '../link.ts';
import { literal, rowReader } from './columns.ts';

/** Rows of one insert: far below SQLite's 32,766 and PostgreSQL's 65,535 parameters. */
const BATCH_ROWS = 500;

const COLUMNS = [
  'sink_id as sinkId',
  'sequence',
  'alert_id as alertId',
  'attempts',
  'next_attempt_at as nextAttemptAt',
  'status',
  'last_error as lastError',
] as const;

const rows = rowReader<DeliveryRecord>(
  'deliveries',
  z.strictObject({
    sinkId: z.string(),
    sequence: z.number(),
    alertId: z.string(),
    attempts: z.number(),
    nextAttemptAt: z.number(),
    status: z.enum(['pending', 'delivered', 'abandoned']),
    lastError: z.string().nullable(),
  }),
);

const toRow = (node: string, delivery: DeliveryRecord) => ({
  node,
  sink_id: delivery.sinkId,
  sequence: delivery.sequence,
  alert_id: delivery.alertId,
  attempts: delivery.attempts,
  next_attempt_at: delivery.nextAttemptAt,
  status: delivery.status,
  last_error: delivery.lastError,
});

/** `list` begins with the newest record of the log. */
export function outboxStore(link: Link): OutboxStore {
  const { db } = link;
  return {
    async cursor(node) {
      const row = await db
        .selectFrom('outbox_cursors')
        .select('sequence')
        .where('node', '=', node)
        .executeTakeFirst();
      return row?.sequence ?? 0;
    },
    async project(node, deliveries, cursor) {
      await link.atomically(async (transaction) => {
        for (let start = 0; start < deliveries.length; start += BATCH_ROWS) {
          const batch = deliveries.slice(start, start + BATCH_ROWS);
          await transaction.db
            .insertInto('deliveries')
            .values(batch.map((delivery) => toRow(node, delivery)))
            .onConflict((conflict) => conflict.doNothing())
            .execute();
        }
        await transaction.db
          .insertInto('outbox_cursors')
          .values({ node, sequence: cursor })
          .onConflict((conflict) =>
            conflict
              .column('node')
              .doUpdateSet({ sequence: cursor })
              .where('outbox_cursors.sequence', '<', cursor),
          )
          .execute();
      });
    },
    async due(node, now, limit, exceptSinks = []) {
      let query = db
        .selectFrom('deliveries')
        .select(COLUMNS)
        .where('node', '=', node)
        .where('status', '=', literal('pending'))
        .where('next_attempt_at', '<=', now)
        .orderBy('next_attempt_at')
        .orderBy('sequence')
        .limit(limit);
      if (exceptSinks.length > 0) query = query.where('sink_id', 'not in', exceptSinks);
      return rows.many(await query.execute());
    },
    async nextDueAt(node, exceptSinks = []) {
      let query = db
        .selectFrom('deliveries')
        .select('next_attempt_at')
        .where('node', '=', node)
        .where('status', '=', literal('pending'))
        .orderBy('next_attempt_at')
        .limit(1);
      if (exceptSinks.length > 0) query = query.where('sink_id', 'not in', exceptSinks);
      const row = await query.executeTakeFirst();
      return row?.next_attempt_at ?? null;
    },
    async pullForward(node, beyond, to) {
      await db
        .updateTable('deliveries')
        .set({ next_attempt_at: to })
        .where('node', '=', node)
        .where('status', '=', literal('pending'))
        .where('next_attempt_at', '>', beyond)
        .execute();
    },
    async restart(node) {
      await link.atomically(async (transaction) => {
        await transaction.db.deleteFrom('deliveries').where('node', '=', node).execute();
        await transaction.db.deleteFrom('outbox_cursors').where('node', '=', node).execute();
      });
    },
    async record(node, delivery) {
      const { attempts, next_attempt_at, status, last_error } = toRow(node, delivery);
      const result = await db
        .updateTable('deliveries')
        .set({ attempts, next_attempt_at, status, last_error })
        .where('node', '=', node)
        .where('sink_id', '=', delivery.sinkId)
        .where('sequence', '=', delivery.sequence)
        .executeTakeFirst();
      if (result.numUpdatedRows !== 1n) {
        throw new TypeError(`delivery ${delivery.sinkId}/${delivery.sequence} was never projected`);
      }
    },
    async list(node, { status, limit, after }) {
      let query = db.selectFrom('deliveries').select(COLUMNS).where('node', '=', node);
      if (status !== undefined) query = query.where('status', '=', status);
      if (after !== undefined && after !== null) {
        query = query.where(({ eb, and, or }) =>
          or([
            eb('sequence', '<', after.sequence),
            and([eb('sequence', '=', after.sequence), eb('sink_id', '>', after.sinkId)]),
          ]),
        );
      }
      return rows.many(await query.orderBy('sequence', 'desc').orderBy('sink_id').limit(limit).execute());
    },
    async deleteFinished(node, before) {
      const result = await db
        .deleteFrom('deliveries')
        .where('node', '=', node)
        .where('status', '<>', literal('pending'))
        .where('next_attempt_at', '<', before)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
