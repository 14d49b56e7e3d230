import { argument, defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { textOf } from '../output.ts';

const DAY_MS = 86_400_000;

export const tokenCreate = defineCommand({
  name: 'token create',
  summary: 'Create an admin token; it is shown once.',
  arguments: [{ name: 'NAME', help: 'Name of the token; stands in the audit log.' }],
  options: {
    role: { type: 'string', value: 'ROLE', help: 'admin, approver (decides held calls) or auditor (reads).' },
    days: { type: 'string', value: 'DAYS', help: 'How long it lives; default: until it is deleted.' },
  },
  examples: [
    'sallyport token create ann --role approver --days 90',
    'sallyport token create siem --role auditor',
  ],
  async run({ client, output, args, values }) {
    if (values.role === undefined) throw usageFault('token create needs --role admin, approver or auditor.');
    if (values.days !== undefined && !/^[1-9]\d{0,3}$/.test(values.days))
      throw usageFault('--days is 1 to 9999.');
    const expiresAt = values.days === undefined ? null : Date.now() + Number(values.days) * DAY_MS;
    const made = await client.post('/tokens', { name: argument(args, 0), role: values.role, expiresAt });
    output.result(made, `Token of ${argument(args, 0)} (shown once, kept nowhere):`);
    output.say(textOf(made.token));
    return undefined;
  },
});
