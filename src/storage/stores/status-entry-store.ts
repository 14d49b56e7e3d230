import type { StatusEntryStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';

export function statusEntryStore({ db }: Link): StatusEntryStore {
  return {
    async take({ tenant, entry, jti, freeAt }, now) {
      const result = await db
        .insertInto('status_entries')
        .values({ tenant, entry, jti, free_at: freeAt })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant', 'entry'])
            .doUpdateSet({ jti, free_at: freeAt })
            .where('status_entries.free_at', '<=', now),
        )
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async deleteFree(now) {
      const result = await db.deleteFrom('status_entries').where('free_at', '<=', now).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
