import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { findId } from './find-id.ts';

export const userEnable = defineCommand({
  name: 'user enable',
  summary: 'Let a disabled user sign in again.',
  arguments: [{ name: 'USER', help: 'Name or id.' }],
  examples: ['sallyport user enable ada@example.com'],
  async run({ client, output, args }) {
    const id = await findId(client, '/users', argument(args, 0));
    const user = await client.post(`/users/${step(id)}/enable`, {});
    output.result(user, `${argument(args, 0)} may sign in again.`);
    return undefined;
  },
});
