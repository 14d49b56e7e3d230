import { defineCommand } from '../command.ts';
import { AGENT } from './columns.ts';

export const agentList = defineCommand({
  name: 'agent list',
  summary: 'List agents.',
  examples: ['sallyport agent list', 'sallyport agent list --json'],
  async run({ client, output }) {
    output.list(
      await client.all('/agents'),
      AGENT,
      'There is no agent yet: sallyport agent add NAME --scope …',
    );
    return undefined;
  },
});
