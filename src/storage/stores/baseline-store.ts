import type { BaselineStore } from '../../detector/index.ts';
import type { Link } from '../link.ts';

export function baselineStore({ db }: Link): BaselineStore {
  return {
    async destinations(tenant, agentId) {
      const found = await db
        .selectFrom('destinations')
        .select(['destination', 'first_at'])
        .where('tenant', '=', tenant)
        .where('agent_id', '=', agentId)
        .orderBy('destination')
        .execute();
      return new Map(found.map((row) => [row.destination, row.first_at]));
    },
    async addDestination({ tenant, agentId, destination, at }) {
      await db
        .insertInto('destinations')
        .values({ tenant, agent_id: agentId, destination, first_at: at })
        // The first sight counts, whatever comes later.
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    async habits(tenant, agentId) {
      const found = await db
        .selectFrom('habits')
        .select('habits')
        .where('tenant', '=', tenant)
        .where('agent_id', '=', agentId)
        .executeTakeFirst();
      return found?.habits ?? null;
    },
    async putHabits({ tenant, agentId, habits, at }) {
      await db
        .insertInto('habits')
        .values({ tenant, agent_id: agentId, habits, at })
        .onConflict((conflict) => conflict.columns(['tenant', 'agent_id']).doUpdateSet({ habits, at }))
        .execute();
    },
  };
}
