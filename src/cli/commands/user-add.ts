import { argument, defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { textOf } from '../output.ts';

export const userAdd = defineCommand({
  name: 'user add',
  summary: 'Add a user, who may sign in and let agents act in their name; prints a link, shown once.',
  arguments: [{ name: 'NAME', help: 'What the user types to sign in, such as an address.' }],
  options: {
    display: { type: 'string', value: 'TEXT', help: 'The name that people know; default: NAME.' },
    upstream: {
      type: 'string',
      value: 'PROVIDER:SUBJECT',
      help: 'Who they are at a provider of people.providers, through which they sign in as well.',
    },
  },
  examples: [
    'sallyport user add ada',
    'sallyport user add ada@example.com --display "Ada Lovelace"',
    'sallyport user add ada --upstream corp:248289761001',
  ],
  async run({ client, output, args, values }) {
    const name = argument(args, 0);
    const made = await client.post('/users', {
      name,
      displayName: values.display ?? name,
      ...(values.upstream === undefined ? {} : { upstream: readUpstream(values.upstream) }),
    });
    output.result(made, `Added ${name}. Link to choose how to sign in (shown once, good for a day):`);
    output.say(textOf(made.link));
    return undefined;
  },
});

function readUpstream(text: string) {
  const [, provider, subject] = /^([a-z0-9-]{1,31}):(.+)$/.exec(text) ?? [];
  if (provider === undefined || subject === undefined) throw usageFault('--upstream is PROVIDER:SUBJECT.');
  return { provider, subject };
}
