import { defineCommand } from '../command.ts';
import { AGENT } from './columns.ts';

import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const agentList = defineCommand({
  name: 'agent list',
  summary: 'List agents.',
  options: LIST_OPTIONS,
  examples: ['sallyport agent list', 'sallyport agent list --json'],
  async run({ client, output, values }) {
    output.list(
      await client.all('/agents', {}, limitOf(values)),
      AGENT,
      'There is no agent yet: sallyport agent add NAME --scope …',
    );
    return undefined;
  },
});
