import { defineCommand } from '../command.ts';
import { SERVICE } from './columns.ts';

import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const serviceList = defineCommand({
  name: 'service list',
  summary: 'List services.',
  options: LIST_OPTIONS,
  examples: ['sallyport service list'],
  async run({ client, output, values }) {
    output.list(
      await client.all('/services', {}, limitOf(values)),
      SERVICE,
      'There is no service yet: sallyport service add NAME --origin URL',
    );
    return undefined;
  },
});
