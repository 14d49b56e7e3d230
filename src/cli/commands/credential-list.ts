import { defineCommand } from '../command.ts';
import { CREDENTIAL } from './columns.ts';

import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const credentialList = defineCommand({
  name: 'credential list',
  summary: 'List credentials: what they are bound to, never the secret.',
  options: LIST_OPTIONS,
  examples: ['sallyport credential list'],
  async run({ client, output, values }) {
    output.list(
      await client.all('/credentials', {}, limitOf(values)),
      CREDENTIAL,
      'There is no credential yet: sallyport credential put NAME …',
    );
    return undefined;
  },
});
