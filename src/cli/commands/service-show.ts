import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { SERVICE } from './columns.ts';

export const serviceShow = defineCommand({
  name: 'service show',
  summary: 'Show one service.',
  arguments: [{ name: 'NAME', help: 'Name of the service.' }],
  examples: ['sallyport service show github'],
  async run({ client, output, args }) {
    const service = await client.get(`/services/${step(argument(args, 0))}`);
    output.item(service, [
      ...SERVICE,
      ['CA', (row) => (row.upstreamCa === null ? 'the system’s' : 'its own')],
    ]);
    return undefined;
  },
});
