import { defineCommand } from '../command.ts';
import { members } from './members.ts';

export const policyReload = defineCommand({
  name: 'policy reload',
  summary: 'Put the files on disk in force now; with a fault in them, the old set stays.',
  examples: ['sallyport policy reload'],
  async run({ client, output }) {
    const result = await client.post('/policies/reload');
    output.item(result, members(result));
    return undefined;
  },
});
