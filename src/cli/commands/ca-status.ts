import { defineCommand } from '../command.ts';
import { members } from './members.ts';

export const caStatus = defineCommand({
  name: 'ca status',
  summary: 'The certificate authority by which the gateway looks into tunnels.',
  examples: ['sallyport ca status'],
  async run({ client, output }) {
    const status = await client.get('/ca');
    output.item(status, members(status));
    return undefined;
  },
});
