import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';

export const approvalDeny = defineCommand({
  name: 'approval deny',
  summary: 'Refuse a held call.',
  arguments: [{ name: 'ID', help: 'Id of the approval.' }],
  options: { reason: { type: 'string', value: 'TEXT', help: 'Why; stands in the audit log.' } },
  examples: ['sallyport approval deny approval_0mfx…'],
  async run({ client, output, args, values }) {
    const id = argument(args, 0);
    const decided = await client.post(`/approvals/${step(id)}/deny`, { reason: values.reason ?? null });
    output.result(decided, `${id} is denied.`);
    return undefined;
  },
});
