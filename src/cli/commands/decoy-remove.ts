import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { findId } from './find-id.ts';

export const decoyRemove = defineCommand({
  name: 'decoy remove',
  summary: 'Remove a decoy.',
  arguments: [{ name: 'DECOY', help: 'Name or id.' }],
  examples: ['sallyport decoy remove aws-backup'],
  async run({ client, output, args }) {
    const id = await findId(client, '/decoys', argument(args, 0));
    await client.delete(`/decoys/${step(id)}`);
    output.result({ removed: id }, `Removed ${argument(args, 0)}.`);
    return undefined;
  },
});
