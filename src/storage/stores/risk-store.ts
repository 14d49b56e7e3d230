import { z } from 'zod';
import type { RiskRecord, RiskStore } from '../../detector/index.ts';
import type { Link } from '../link.ts';
import { rowReader } from './columns.ts';

const rows = rowReader<RiskRecord>(
  'risks',
  z.strictObject({
    tenant: z.string(),
    sid: z.string(),
    score: z.number(),
    findings: z.number(),
    at: z.number(),
  }),
);

export function riskStore({ db }: Link): RiskStore {
  return {
    async since(at, limit) {
      const query = db
        .selectFrom('risks')
        .select(['tenant', 'sid', 'score', 'findings', 'at'])
        .where('at', '>=', at)
        .orderBy('at', 'desc')
        .limit(limit);
      return rows.many(await query.execute());
    },
    async put({ tenant, sid, score, findings, at }) {
      await db
        .insertInto('risks')
        .values({ tenant, sid, score, findings, at })
        .onConflict((conflict) =>
          // An older moment that arrives late must not undo a newer one.
          conflict
            .columns(['tenant', 'sid'])
            .doUpdateSet({ score, findings, at })
            .where('risks.at', '<=', at),
        )
        .execute();
    },
    async deleteOlderThan(at) {
      const result = await db.deleteFrom('risks').where('at', '<', at).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
