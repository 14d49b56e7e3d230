import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { findId } from './find-id.ts';

export const tokenDelete = defineCommand({
  name: 'token delete',
  summary: 'Delete an admin token; it stops at once.',
  arguments: [{ name: 'TOKEN', help: 'Name or id.' }],
  examples: ['sallyport token delete ann'],
  async run({ client, output, args }) {
    const id = await findId(client, '/tokens', argument(args, 0));
    await client.delete(`/tokens/${step(id)}`);
    output.result({ deleted: id }, `Deleted ${argument(args, 0)}.`);
    return undefined;
  },
});
