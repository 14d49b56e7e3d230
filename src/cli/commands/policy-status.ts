import { defineCommand } from '../command.ts';
import { members } from './members.ts';

export const policyStatus = defineCommand({
  name: 'policy status',
  summary: 'The policy set in force, and the faults of a newer one that was turned away.',
  examples: ['sallyport policy status'],
  async run({ client, output }) {
    const status = await client.get('/policies');
    output.item(status, members(status));
    return undefined;
  },
});
