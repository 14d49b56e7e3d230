import type { CallCountStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';

export function callCountStore({ db }: Link): CallCountStore {
  return {
    async take({ tenant, hop, detail, limit, expiresAt }) {
      if (limit < 1) return false;
      const result = await db
        .insertInto('call_counts')
        .values({ tenant, hop, detail, used: 1, expires_at: expiresAt })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant', 'hop', 'detail'])
            .doUpdateSet((eb) => ({ used: eb('call_counts.used', '+', 1), expires_at: expiresAt }))
            .where('call_counts.used', '<', limit),
        )
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async used(tenant, hop, detail) {
      const row = await db
        .selectFrom('call_counts')
        .select('used')
        .where('tenant', '=', tenant)
        .where('hop', '=', hop)
        .where('detail', '=', detail)
        .executeTakeFirst();
      return row?.used ?? 0;
    },
    async deleteExpired(before) {
      const result = await db.deleteFrom('call_counts').where('expires_at', '<=', before).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
