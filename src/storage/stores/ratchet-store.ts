import { sql } from 'kysely';
import { z } from 'zod';
import type { RatchetState, RatchetStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';
import { rowReader } from './columns.ts';

const KEPT_STEPS = 4096;

const rows = rowReader<RatchetState>(
  'ratchets',
  z.strictObject({ step: z.number(), thumbprint: z.string(), previous: z.string() }),
);

export function ratchetStore({ db }: Link): RatchetStore {
  const find: RatchetStore['find'] = async ({ tenant, agentId, kid }) =>
    rows.optional(
      await db
        .selectFrom('ratchets')
        .select(['step', 'thumbprint', 'previous'])
        .where('tenant', '=', tenant)
        .where('agent_id', '=', agentId)
        .where('kid', '=', kid)
        .executeTakeFirst(),
    );
  return {
    find,
    async advance(line, { from, to }) {
      const { tenant, agentId, kid } = line;
      const begun = await db
        .insertInto('ratchets')
        .values({ tenant, agent_id: agentId, kid, step: 1, thumbprint: to, previous: from })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant', 'agent_id', 'kid'])
            .doUpdateSet({ step: sql`ratchets.step + 1`, thumbprint: to, previous: from })
            .where('ratchets.thumbprint', '=', from),
        )
        .executeTakeFirst();
      if (begun.numInsertedOrUpdatedRows !== 1n) return false;
      const step = (await find(line))?.step ?? 1;
      await db
        .insertInto('ratchet_keys')
        .values({ tenant, agent_id: agentId, kid, thumbprint: from, step })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      await db
        .deleteFrom('ratchet_keys')
        .where('tenant', '=', tenant)
        .where('agent_id', '=', agentId)
        .where('kid', '=', kid)
        // The registered key, of step 1, is what an old copy has.
        .where('step', '>', 1)
        .where('step', '<=', step - KEPT_STEPS)
        .execute();
      return true;
    },
    async hasGivenWay({ tenant, agentId, kid }, thumbprint) {
      const found = await db
        .selectFrom('ratchet_keys')
        .select('step')
        .where('tenant', '=', tenant)
        .where('agent_id', '=', agentId)
        .where('kid', '=', kid)
        .where('thumbprint', '=', thumbprint)
        .executeTakeFirst();
      return found !== undefined;
    },
    async forget(tenant, agentId) {
      await db.deleteFrom('ratchets').where('tenant', '=', tenant).where('agent_id', '=', agentId).execute();
      await db
        .deleteFrom('ratchet_keys')
        .where('tenant', '=', tenant)
        .where('agent_id', '=', agentId)
        .execute();
    },
  };
}
