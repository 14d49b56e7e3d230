import { defineCommand } from '../command.ts';
import { rowsOf } from '../output.ts';
import { DELIVERY } from './columns.ts';

export const alertDeliveries = defineCommand({
  name: 'alert deliveries',
  summary: 'What was delivered to sinks, what waits, and what was given up.',
  options: { status: { type: 'string', value: 'STATUS', help: 'pending, delivered or abandoned.' } },
  examples: ['sallyport alert deliveries --status pending'],
  async run({ client, output, values }) {
    const page = await client.get('/deliveries', { status: values.status });
    output.list(rowsOf(page.items), DELIVERY, 'There are none.');
    return undefined;
  },
});
