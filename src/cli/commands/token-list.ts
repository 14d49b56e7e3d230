import { defineCommand } from '../command.ts';
import { TOKEN } from './columns.ts';

import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const tokenList = defineCommand({
  name: 'token list',
  summary: 'List admin tokens.',
  options: LIST_OPTIONS,
  examples: ['sallyport token list'],
  async run({ client, output, values }) {
    output.list(await client.all('/tokens', {}, limitOf(values)), TOKEN, 'There is none.');
    return undefined;
  },
});
