import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';

export const credentialRevoke = defineCommand({
  name: 'credential revoke',
  summary: 'Stop the use of a credential at once; calls in flight with it are cut.',
  arguments: [{ name: 'NAME', help: 'Name of the credential.' }],
  examples: ['sallyport credential revoke github-token'],
  async run({ client, output, args }) {
    const name = argument(args, 0);
    await client.post(`/credentials/${step(name)}/revoke`);
    output.result({ revoked: name }, `${name} is revoked.`);
    return undefined;
  },
});
