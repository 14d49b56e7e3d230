import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';

export const credentialDelete = defineCommand({
  name: 'credential delete',
  summary: 'Forget a credential with all its versions.',
  arguments: [{ name: 'NAME', help: 'Name of the credential.' }],
  examples: ['sallyport credential delete github-token'],
  async run({ client, output, args }) {
    const name = argument(args, 0);
    await client.delete(`/credentials/${step(name)}`);
    output.result({ deleted: name }, `Deleted ${name}.`);
    return undefined;
  },
});
