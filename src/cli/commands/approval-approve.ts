import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';

export const approvalApprove = defineCommand({
  name: 'approval approve',
  summary: 'Let exactly this call pass, once; where two people are needed, each of them says so.',
  arguments: [{ name: 'ID', help: 'Id of the approval.' }],
  options: { reason: { type: 'string', value: 'TEXT', help: 'Why; stands in the audit log.' } },
  examples: ['sallyport approval approve approval_0mfx…'],
  async run({ client, output, args, values }) {
    const id = argument(args, 0);
    const decided = await client.post(`/approvals/${step(id)}/approve`, { reason: values.reason ?? null });
    const said =
      decided.status === 'pending'
        ? `${id} has your yes; another person has to approve it as well.`
        : `${id} is approved; the agent may repeat the call now.`;
    output.result(decided, said);
    return undefined;
  },
});
