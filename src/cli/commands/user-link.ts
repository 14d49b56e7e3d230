import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { findId } from './find-id.ts';

const PROVIDER = { name: 'PROVIDER', help: 'Name of a provider in people.providers.' };
const SUBJECT = {
  name: 'SUBJECT',
  help: 'Who the user is there: the `sub` of its tokens, never an address.',
};

export const userLink = defineCommand({
  name: 'user link',
  summary: 'Let a user sign in through an OpenID provider.',
  arguments: [{ name: 'USER', help: 'Name or id.' }, PROVIDER, SUBJECT],
  examples: ['sallyport user link ada@example.com corp 248289761001'],
  async run({ client, output, args }) {
    const id = await findId(client, '/users', argument(args, 0));
    const upstream = { provider: argument(args, 1), subject: argument(args, 2) };
    const user = await client.post(`/users/${step(id)}/link`, upstream);
    output.result(user, `${argument(args, 0)} signs in through ${upstream.provider} as well.`);
    return undefined;
  },
});

export const userUnlink = defineCommand({
  name: 'user unlink',
  summary: 'Take an OpenID provider from a user, who is signed out everywhere.',
  arguments: [{ name: 'USER', help: 'Name or id.' }, PROVIDER, SUBJECT],
  examples: ['sallyport user unlink ada@example.com corp 248289761001'],
  async run({ client, output, args }) {
    const id = await findId(client, '/users', argument(args, 0));
    const upstream = { provider: argument(args, 1), subject: argument(args, 2) };
    const user = await client.post(`/users/${step(id)}/unlink`, upstream);
    output.result(user, `${argument(args, 0)} does not sign in through ${upstream.provider} any more.`);
    return undefined;
  },
});
