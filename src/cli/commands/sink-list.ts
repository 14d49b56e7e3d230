import { defineCommand } from '../command.ts';
import { SINK } from './columns.ts';

export const sinkList = defineCommand({
  name: 'alert sink list',
  summary: 'List where alerts go.',
  examples: ['sallyport alert sink list'],
  async run({ client, output }) {
    output.list(await client.all('/sinks'), SINK, 'Alerts go nowhere yet: sallyport alert sink add NAME …');
    return undefined;
  },
});
