import { defineCommand } from '../command.ts';
import { CREDENTIAL } from './columns.ts';

export const credentialList = defineCommand({
  name: 'credential list',
  summary: 'List credentials: what they are bound to, never the secret.',
  examples: ['sallyport credential list'],
  async run({ client, output }) {
    output.list(
      await client.all('/credentials'),
      CREDENTIAL,
      'There is no credential yet: sallyport credential put NAME …',
    );
    return undefined;
  },
});
