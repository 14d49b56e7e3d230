import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { EXIT } from '../fault.ts';
import { textOf } from '../output.ts';
import { findId } from './find-id.ts';

export const sinkTest = defineCommand({
  name: 'alert sink test',
  summary: 'Send a test message to a sink now; exit code 1 when it does not arrive.',
  arguments: [{ name: 'SINK', help: 'Name or id.' }],
  examples: ['sallyport alert sink test siem'],
  async run({ client, output, args }) {
    const id = await findId(client, '/sinks', argument(args, 0));
    const result = await client.post(`/sinks/${step(id)}/test`);
    const delivered = result.outcome === 'delivered';
    output.result(result, delivered ? 'It arrived.' : `It did not arrive: ${textOf(result.error)}.`);
    return delivered ? EXIT.ok : EXIT.refused;
  },
});
