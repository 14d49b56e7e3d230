import { defineCommand } from '../command.ts';
import { DECOY } from './columns.ts';

export const decoyList = defineCommand({
  name: 'decoy list',
  summary: 'List decoys.',
  examples: ['sallyport decoy list'],
  async run({ client, output }) {
    output.list(await client.all('/decoys'), DECOY, 'There is no decoy yet: sallyport decoy plant NAME');
    return undefined;
  },
});
