import { defineCommand } from '../command.ts';
import { USER } from './columns.ts';
import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const userList = defineCommand({
  name: 'user list',
  summary: 'List the people who may sign in.',
  options: LIST_OPTIONS,
  examples: ['sallyport user list'],
  async run({ client, output, values }) {
    output.list(await client.all('/users', {}, limitOf(values)), USER, 'There is none.');
    return undefined;
  },
});
