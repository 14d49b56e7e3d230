import { defineCommand } from '../command.ts';
import { SINK } from './columns.ts';

import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const sinkList = defineCommand({
  name: 'alert sink list',
  summary: 'List where alerts go.',
  options: LIST_OPTIONS,
  examples: ['sallyport alert sink list'],
  async run({ client, output, values }) {
    output.list(
      await client.all('/sinks', {}, limitOf(values)),
      SINK,
      'Alerts go nowhere yet: sallyport alert sink add NAME …',
    );
    return undefined;
  },
});
