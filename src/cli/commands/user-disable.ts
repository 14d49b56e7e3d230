import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { findId } from './find-id.ts';

export const userDisable = defineCommand({
  name: 'user disable',
  summary: 'Sign a user out everywhere, and end what agents hold in their name.',
  arguments: [{ name: 'USER', help: 'Name or id.' }],
  examples: ['sallyport user disable ada@example.com'],
  async run({ client, output, args }) {
    const id = await findId(client, '/users', argument(args, 0));
    const user = await client.post(`/users/${step(id)}/disable`, {});
    output.result(user, `${argument(args, 0)} is disabled.`);
    return undefined;
  },
});
