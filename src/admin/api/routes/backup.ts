import { z } from 'zod';
import { Refusal } from '../../../core/index.ts';
import { defineRoute, type Route } from '../route.ts';

export const backupRoutes: readonly Route[] = [
  defineRoute({
    method: 'post',
    path: '/backup/database',
    summary:
      'Copy the embedded database, as it is at this moment, into the data folder of this machine, where sallyport backup takes it from. Recorded.',
    roles: ['admin'],
    result: z.object({ file: z.string().describe('The copy, mode 0600; whoever asked removes it.') }),
    status: 201,
    handle: async (_, { rooms, by }) => {
      const file = await rooms.snapshotDatabase(by);
      if (file === null) {
        throw new Refusal('conflict', {
          detail: 'The database is a PostgreSQL server: back it up with pg_dump.',
        });
      }
      return { file };
    },
  }),
];
