import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';

export const grantEnd = defineCommand({
  name: 'grant end',
  summary: 'End what a person let an agent do, with its passports.',
  arguments: [{ name: 'GRANT', help: 'Id of the grant.' }],
  options: { reason: { type: 'string', value: 'TEXT', help: 'Why, for the log.' } },
  examples: ['sallyport grant end grant_0123456789abcdef --reason "laptop lost"'],
  async run({ client, output, args, values }) {
    const id = argument(args, 0);
    const ended = await client.post(`/grants/${step(id)}/end`, { reason: values.reason ?? null });
    output.result(ended, `${id} has ended.`);
    return undefined;
  },
});
