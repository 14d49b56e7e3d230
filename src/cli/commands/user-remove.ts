import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { findId } from './find-id.ts';

export const userRemove = defineCommand({
  name: 'user remove',
  summary: 'Remove a user, and end what agents hold in their name.',
  arguments: [{ name: 'USER', help: 'Name or id.' }],
  examples: ['sallyport user remove ada@example.com'],
  async run({ client, output, args }) {
    const id = await findId(client, '/users', argument(args, 0));
    await client.delete(`/users/${step(id)}`);
    output.result({ removed: id }, `Removed ${argument(args, 0)}.`);
    return undefined;
  },
});
