import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { textOf } from '../output.ts';
import { findId } from './find-id.ts';

export const userReset = defineCommand({
  name: 'user reset',
  summary: 'Take all ways to sign in away; the link that it prints, shown once, is the one way back.',
  arguments: [{ name: 'USER', help: 'Name or id.' }],
  examples: ['sallyport user reset ada@example.com'],
  async run({ client, output, args }) {
    const id = await findId(client, '/users', argument(args, 0));
    const made = await client.post(`/users/${step(id)}/reset`, {});
    output.result(made, `Link for ${argument(args, 0)} (shown once, good for a day):`);
    output.say(textOf(made.link));
    return undefined;
  },
});
