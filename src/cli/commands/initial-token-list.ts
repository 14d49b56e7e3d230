import { defineCommand } from '../command.ts';
import { INITIAL_TOKEN } from './columns.ts';
import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const initialTokenList = defineCommand({
  name: 'initial-token list',
  summary: 'List the tokens with which agents register themselves.',
  options: LIST_OPTIONS,
  examples: ['sallyport initial-token list'],
  async run({ client, output, values }) {
    output.list(await client.all('/initial-tokens', {}, limitOf(values)), INITIAL_TOKEN, 'There is none.');
    return undefined;
  },
});
