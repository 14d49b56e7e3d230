import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { findId } from './find-id.ts';

export const sinkRemove = defineCommand({
  name: 'alert sink remove',
  summary: 'Remove a sink; what waits for it is dropped.',
  arguments: [{ name: 'SINK', help: 'Name or id.' }],
  examples: ['sallyport alert sink remove siem'],
  async run({ client, output, args }) {
    const id = await findId(client, '/sinks', argument(args, 0));
    await client.delete(`/sinks/${step(id)}`);
    output.result({ removed: id }, `Removed ${argument(args, 0)}.`);
    return undefined;
  },
});
