import { defineCommand } from '../command.ts';
import { TOKEN } from './columns.ts';

export const tokenList = defineCommand({
  name: 'token list',
  summary: 'List admin tokens.',
  examples: ['sallyport token list'],
  async run({ client, output }) {
    output.list(await client.all('/tokens'), TOKEN, 'There is none.');
    return undefined;
  },
});
