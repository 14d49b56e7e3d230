import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { APPROVAL_ITEM } from './columns.ts';

export const approvalShow = defineCommand({
  name: 'approval show',
  summary: 'Show one held call: who asks, for whom, and what will be sent.',
  arguments: [{ name: 'ID', help: 'Id of the approval.' }],
  examples: ['sallyport approval show approval_0mfx…'],
  async run({ client, output, args }) {
    output.item(await client.get(`/approvals/${step(argument(args, 0))}`), APPROVAL_ITEM);
    return undefined;
  },
});
