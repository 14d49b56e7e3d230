import { defineCommand } from '../command.ts';
import { APPROVAL } from './columns.ts';

import { LIST_OPTIONS, limitOf } from './list-options.ts';

export const approvalList = defineCommand({
  name: 'approval list',
  summary: 'List held calls, the longest waiting first.',
  options: {
    ...LIST_OPTIONS,
    status: { type: 'string', value: 'STATUS', help: 'pending (default), approved, denied or used.' },
    all: { type: 'boolean', help: 'Whatever their status.' },
  },
  examples: ['sallyport approval list', 'sallyport approval list --all --json'],
  async run({ client, output, values }) {
    const status = values.all ? undefined : (values.status ?? 'pending');
    output.list(await client.all('/approvals', { status }, limitOf(values)), APPROVAL, 'No call waits.');
    return undefined;
  },
});
