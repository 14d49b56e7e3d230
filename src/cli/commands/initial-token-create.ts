import { userInfo } from 'node:os';
import { argument, defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { textOf } from '../output.ts';

const HOUR_MS = 3_600_000;

export const initialTokenCreate = defineCommand({
  name: 'initial-token create',
  summary: 'Create a token with which agents register themselves (RFC 7591); it is shown once.',
  arguments: [{ name: 'NAME', help: 'Name of the token; stands in the audit log.' }],
  options: {
    scope: {
      type: 'string',
      multiple: true,
      value: 'SERVICE:ACCESS',
      help: 'A scope that agents may register for.',
    },
    owner: { type: 'string', value: 'WHO', help: 'Who answers for those agents; default: your user name.' },
    uses: { type: 'string', value: 'COUNT', help: 'How many agents may register with it; default: 1.' },
    hours: { type: 'string', value: 'HOURS', help: 'How long it lives; default: 1.' },
  },
  examples: [
    'sallyport initial-token create laptop --scope github:read',
    'sallyport initial-token create ci-runners --scope github:read --owner platform-team --uses 20 --hours 24',
  ],
  async run({ client, output, args, values }) {
    const name = argument(args, 0);
    if (values.scope.length === 0) throw usageFault('initial-token create needs --scope SERVICE:ACCESS.');
    const [maxUses, hours] = [wholeNumber('--uses', values.uses), wholeNumber('--hours', values.hours)];
    const made = await client.post('/initial-tokens', {
      name,
      owner: values.owner ?? userInfo().username,
      scopes: values.scope,
      maxUses,
      expiresAt: Date.now() + hours * HOUR_MS,
    });
    output.result(made, `Initial token ${name} (shown once, kept nowhere):`);
    output.say(textOf(made.token));
    return undefined;
  },
});

function wholeNumber(option: string, value: string | undefined): number {
  if (!/^[1-9]\d{0,4}$/.test(value ?? '1')) throw usageFault(`${option} is a number from 1 on.`);
  return Number(value ?? '1');
}
