import { defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { rowsOf } from '../output.ts';
import { ALERT } from './columns.ts';

export const alertList = defineCommand({
  name: 'alert list',
  summary: 'The newest alerts, newest first.',
  options: { lines: { type: 'string', short: 'n', value: 'COUNT', help: 'How many; default: 20.' } },
  examples: ['sallyport alert list', 'sallyport alert list -n 100 --json'],
  async run({ client, output, values }) {
    const limit = values.lines ?? '20';
    if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > 200) throw usageFault('--lines is 1 to 200.');
    const page = await client.get('/alerts', { limit });
    output.list(rowsOf(page.items), ALERT, 'No alert was raised.');
    return undefined;
  },
});
