import { defineCommand } from '../command.ts';
import { ALERT } from './columns.ts';
import { limitOf } from './list-options.ts';

export const alertList = defineCommand({
  name: 'alert list',
  summary: 'The newest alerts, newest first.',
  options: { limit: { type: 'string', short: 'n', value: 'COUNT', help: 'How many at most; default: 20.' } },
  examples: ['sallyport alert list', 'sallyport alert list -n 100 --json'],
  async run({ client, output, values }) {
    const items = await client.all('/alerts', {}, limitOf({ limit: values.limit ?? '20' }));
    output.list(items, ALERT, 'No alert was raised.');
    return undefined;
  },
});
