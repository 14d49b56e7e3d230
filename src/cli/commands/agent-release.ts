import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';

export const agentRelease = defineCommand({
  name: 'agent release',
  summary: 'Lift the quarantine of an agent.',
  arguments: [{ name: 'AGENT', help: 'Name or id.' }],
  examples: ['sallyport agent release builder'],
  async run({ client, output, args }) {
    const name = argument(args, 0);
    const agent = await client.post(`/agents/${step(name)}/release`);
    output.result(agent, `${name} is released.`);
    return undefined;
  },
});
