import { step } from '../client/step.ts';
import { defineCommand } from '../command.ts';
import { textOf } from '../output.ts';
import { PASSPORT } from './columns.ts';

import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const passportList = defineCommand({
  name: 'passport list',
  summary: 'List live passports, newest first.',
  options: {
    ...LIST_OPTIONS,
    agent: { type: 'string', value: 'AGENT', help: 'Those of this agent (name or id).' },
    all: { type: 'boolean', help: 'Expired ones, too.' },
  },
  examples: ['sallyport passport list', 'sallyport passport list --agent builder --all'],
  async run({ client, output, values }) {
    const agent =
      values.agent === undefined ? undefined : textOf((await client.get(`/agents/${step(values.agent)}`)).id);
    const query = { agent, live: values.all ? 'false' : undefined };
    output.list(await client.all('/passports', query, limitOf(values)), PASSPORT, 'No passport is live.');
    return undefined;
  },
});
