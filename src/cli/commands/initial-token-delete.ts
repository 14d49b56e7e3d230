import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { findId } from './find-id.ts';

export const initialTokenDelete = defineCommand({
  name: 'initial-token delete',
  summary: 'Delete a token with which agents register themselves; who registered with it stays.',
  arguments: [{ name: 'TOKEN', help: 'Name or id.' }],
  examples: ['sallyport initial-token delete ci-runners'],
  async run({ client, output, args }) {
    const id = await findId(client, '/initial-tokens', argument(args, 0));
    await client.delete(`/initial-tokens/${step(id)}`);
    output.result({ deleted: id }, `Deleted ${argument(args, 0)}.`);
    return undefined;
  },
});
