import type { ReplayStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';

/** Shared by several nodes; a node that is alone keeps its proofs in memory (passport/memory-replay.ts). */
export function replayStore({ db }: Link): ReplayStore {
  return {
    async insertIfAbsent({ kind, key, expiresAt }, now) {
      const result = await db
        .insertInto('replays')
        .values({ kind, key, expires_at: expiresAt })
        .onConflict((conflict) =>
          conflict
            .columns(['kind', 'key'])
            .doUpdateSet({ expires_at: expiresAt })
            .where('replays.expires_at', '<=', now),
        )
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async deleteExpired(before) {
      const result = await db.deleteFrom('replays').where('expires_at', '<=', before).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
