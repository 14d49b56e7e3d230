import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { readSecret, SECRET_FILE } from './read-secret.ts';

export const credentialRotate = defineCommand({
  name: 'credential rotate',
  summary: 'A new secret under the same binding; the old one stops at once.',
  arguments: [{ name: 'NAME', help: 'Name of the credential.' }],
  options: { 'secret-file': SECRET_FILE },
  examples: [
    'sallyport credential rotate github-token',
    'sallyport credential rotate github-token < new-token.txt',
  ],
  async run(context) {
    const { client, output, args, values } = context;
    const name = argument(args, 0);
    const secret = await readSecret(context, values['secret-file']);
    output.result(
      await client.post(`/credentials/${step(name)}/rotate`, secret),
      `${name} has a new secret.`,
    );
    return undefined;
  },
});
