import { argument, defineCommand } from '../command.ts';
import { textOf } from '../output.ts';

export const userAdd = defineCommand({
  name: 'user add',
  summary: 'Add a user, who may sign in and let agents act in their name; prints a link, shown once.',
  arguments: [{ name: 'NAME', help: 'What the user types to sign in, such as an address.' }],
  options: {
    display: { type: 'string', value: 'TEXT', help: 'The name that people know; default: NAME.' },
  },
  examples: ['sallyport user add ada', 'sallyport user add ada@example.com --display "Ada Lovelace"'],
  async run({ client, output, args, values }) {
    const name = argument(args, 0);
    const made = await client.post('/users', { name, displayName: values.display ?? name });
    output.result(made, `Added ${name}. Link to choose a password (shown once, good for a day):`);
    output.say(textOf(made.link));
    return undefined;
  },
});
