import { defineCommand } from '../command.ts';
import { DECOY } from './columns.ts';

import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const decoyList = defineCommand({
  name: 'decoy list',
  summary: 'List decoys.',
  options: LIST_OPTIONS,
  examples: ['sallyport decoy list'],
  async run({ client, output, values }) {
    output.list(
      await client.all('/decoys', {}, limitOf(values)),
      DECOY,
      'There is no decoy yet: sallyport decoy plant NAME',
    );
    return undefined;
  },
});
