import { rmSync } from 'node:fs';
import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { textOf } from '../output.ts';

export const agentRemove = defineCommand({
  name: 'agent remove',
  summary: 'Remove an agent, and its key on this machine; its passports stop working.',
  arguments: [{ name: 'AGENT', help: 'Name or id.' }],
  examples: ['sallyport agent remove builder'],
  async run({ client, output, args, state }) {
    const { agentKeyFile } = await import('../agent-keys.ts');
    const agent = await client.get(`/agents/${step(argument(args, 0))}`);
    const name = textOf(agent.name);
    await client.delete(`/agents/${step(textOf(agent.id))}`);
    rmSync(agentKeyFile(state, name), { force: true });
    output.result({ removed: agent.id }, `Removed ${name}.`);
    return undefined;
  },
});
