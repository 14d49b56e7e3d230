import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';

export const serviceRemove = defineCommand({
  name: 'service remove',
  summary: 'Forget a service; calls to it are refused from now on.',
  arguments: [{ name: 'NAME', help: 'Name of the service.' }],
  examples: ['sallyport service remove github'],
  async run({ client, output, args }) {
    const name = argument(args, 0);
    await client.delete(`/services/${step(name)}`);
    output.result({ removed: name }, `Removed ${name}.`);
    return undefined;
  },
});
