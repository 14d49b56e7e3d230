import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { AGENT_ITEM } from './columns.ts';

export const agentShow = defineCommand({
  name: 'agent show',
  summary: 'Show one agent.',
  arguments: [{ name: 'AGENT', help: 'Name or id.' }],
  examples: ['sallyport agent show builder'],
  async run({ client, output, args }) {
    output.item(await client.get(`/agents/${step(argument(args, 0))}`), AGENT_ITEM);
    return undefined;
  },
});
