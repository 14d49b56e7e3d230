import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';

export const agentQuarantine = defineCommand({
  name: 'agent quarantine',
  summary: 'Refuse all passports of an agent, and issue no new ones, until it is released.',
  arguments: [{ name: 'AGENT', help: 'Name or id.' }],
  options: { reason: { type: 'string', value: 'TEXT', help: 'Why; stands in the audit log.' } },
  examples: ['sallyport agent quarantine builder --reason "touched a decoy"'],
  async run({ client, output, args, values }) {
    const name = argument(args, 0);
    const agent = await client.post(`/agents/${step(name)}/quarantine`, { reason: values.reason ?? null });
    output.result(agent, `${name} is quarantined.`);
    return undefined;
  },
});
