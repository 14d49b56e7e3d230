import type { ReplayStore } from '../../passport/index.ts';
import type { Link } from '../link.ts';

/**
 * One insert for each call of an agent, so it doesn't wait for the disk: what a power cut takes from it are
 * proofs older than the next start, and those are refused for their age (DESIGN rule 11).
 */
export function replayStore(link: Link): ReplayStore {
  return {
    async insertIfAbsent({ kind, key, expiresAt }, now) {
      const result = await link.withoutSync((db) =>
        db
          .insertInto('replays')
          .values({ kind, key, expires_at: expiresAt })
          .onConflict((conflict) =>
            conflict
              .columns(['kind', 'key'])
              .doUpdateSet({ expires_at: expiresAt })
              .where('replays.expires_at', '<=', now),
          )
          .executeTakeFirst(),
      );
      return result.numInsertedOrUpdatedRows === 1n;
    },
    async deleteExpired(before) {
      const result = await link.withoutSync((db) =>
        db.deleteFrom('replays').where('expires_at', '<=', before).executeTakeFirst(),
      );
      return Number(result.numDeletedRows);
    },
  };
}
