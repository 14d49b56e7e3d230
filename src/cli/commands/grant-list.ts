import { step } from '../client/step.ts';
import { defineCommand } from '../command.ts';
import { textOf } from '../output.ts';
import { GRANT } from './columns.ts';
import { findId } from './find-id.ts';
import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const grantList = defineCommand({
  name: 'grant list',
  summary: 'List what people let agents do in their name.',
  options: {
    ...LIST_OPTIONS,
    user: { type: 'string', value: 'USER', help: 'Of this user alone: name or id.' },
    agent: { type: 'string', value: 'AGENT', help: 'Of this agent alone: name or id.' },
    all: { type: 'boolean', help: 'Those that have ended, too.' },
  },
  examples: ['sallyport grant list', 'sallyport grant list --user ada@example.com --all'],
  async run({ client, output, values }) {
    const user = values.user === undefined ? undefined : await findId(client, '/users', values.user);
    const agent =
      values.agent === undefined ? undefined : textOf((await client.get(`/agents/${step(values.agent)}`)).id);
    const query = { user, agent, live: values.all ? 'false' : undefined };
    output.list(await client.all('/grants', query, limitOf(values)), GRANT, 'There is none.');
    return undefined;
  },
});
