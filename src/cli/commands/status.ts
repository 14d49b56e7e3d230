import { defineCommand } from '../command.ts';
import { members } from './members.ts';

export const status = defineCommand({
  name: 'status',
  summary: 'What is on, what is off, and what an administrator has weakened.',
  examples: ['sallyport status', 'sallyport status --json'],
  async run({ client, output }) {
    const found = await client.get('/status');
    output.item(found, members(found));
    return undefined;
  },
});
