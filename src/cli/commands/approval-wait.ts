import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { EXIT, usageFault } from '../fault.ts';
import { textOf } from '../output.ts';

const LONGEST_WAIT_SECONDS = 300;

export const approvalWait = defineCommand({
  name: 'approval wait',
  summary: 'Wait for a decision: exit code 0 when approved, 1 when denied, 5 when the time is up.',
  arguments: [{ name: 'ID', help: 'Id of the approval.' }],
  options: { timeout: { type: 'string', value: 'SECONDS', help: 'How long; default: 300.' } },
  examples: ['sallyport approval wait approval_0mfx… --timeout 60'],
  async run({ client, output, args, values }) {
    const id = argument(args, 0);
    const seconds = values.timeout ?? String(LONGEST_WAIT_SECONDS);
    if (!/^\d{1,3}$/.test(seconds) || Number(seconds) > LONGEST_WAIT_SECONDS) {
      throw usageFault(`--timeout is 0 to ${LONGEST_WAIT_SECONDS} seconds.`);
    }
    const approval = await client.get(`/approvals/${step(id)}/wait`, { timeoutSeconds: seconds });
    output.result(approval, `${id} is ${textOf(approval.status)}.`);
    if (approval.status === 'pending') return EXIT.pending;
    return approval.status === 'denied' ? EXIT.refused : EXIT.ok;
  },
});
