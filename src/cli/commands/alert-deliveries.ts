import { defineCommand } from '../command.ts';
import { DELIVERY } from './columns.ts';
import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const alertDeliveries = defineCommand({
  name: 'alert deliveries',
  summary: 'What was delivered to sinks, what waits, and what was given up.',
  options: {
    ...LIST_OPTIONS,
    status: { type: 'string', value: 'STATUS', help: 'pending, delivered or abandoned.' },
  },
  examples: ['sallyport alert deliveries --status pending'],
  async run({ client, output, values }) {
    const items = await client.all('/deliveries', { status: values.status }, limitOf(values));
    output.list(items, DELIVERY, 'There are none.');
    return undefined;
  },
});
