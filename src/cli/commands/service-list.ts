import { defineCommand } from '../command.ts';
import { SERVICE } from './columns.ts';

export const serviceList = defineCommand({
  name: 'service list',
  summary: 'List services.',
  examples: ['sallyport service list'],
  async run({ client, output }) {
    output.list(
      await client.all('/services'),
      SERVICE,
      'There is no service yet: sallyport service add NAME --origin URL',
    );
    return undefined;
  },
});
