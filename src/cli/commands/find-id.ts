import type { AdminClient } from '../client/admin-client.ts';
import { CliFault, EXIT } from '../fault.ts';
import { textOf } from '../output.ts';

/** The id of the thing in a list that has this name or id. Throws CliFault `not_found`. */
export async function findId(
  client: AdminClient,
  list: '/sinks' | '/decoys' | '/tokens' | '/initial-tokens' | '/users',
  named: string,
): Promise<string> {
  const found = (await client.all(list)).find(({ id, name }) => id === named || name === named);
  if (found !== undefined) return textOf(found.id);
  throw new CliFault(EXIT.refused, 'not_found', `There is nothing named ${JSON.stringify(named)}.`, {
    remedy: 'List what there is, and check the name.',
  });
}
