import { defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { rowOf, rowsOf } from '../output.ts';
import { auditLine } from './columns.ts';

export const auditTail = defineCommand({
  name: 'audit tail',
  summary: 'The last records of the audit log, and with --follow those to come.',
  options: {
    lines: { type: 'string', short: 'n', value: 'COUNT', help: 'How many; default: 20.' },
    type: { type: 'string', value: 'TYPE', help: 'Only events of this type, such as call.refused.' },
    follow: { type: 'boolean', short: 'f', help: 'Go on until Ctrl-C.' },
  },
  examples: [
    'sallyport audit tail',
    'sallyport audit tail -n 100 --type call.refused',
    'sallyport audit tail -f --json',
  ],
  async run({ client, output, values, signal }) {
    const limit = values.lines ?? '20';
    if (!/^[1-9]\d{0,2}$|^1000$/.test(limit)) throw usageFault('--lines is 1 to 1000.');
    const page = await client.get('/audit/records', { limit, type: values.type });
    for (const record of rowsOf(page.items)) output.record(record, auditLine);
    if (!values.follow) return undefined;
    try {
      for await (const line of client.lines('/audit/export', { after: String(page.next), follow: 'true' })) {
        const record = rowOf(JSON.parse(line));
        if (values.type === undefined || rowOf(record.event).type === values.type)
          output.record(record, auditLine);
      }
    } catch (cause) {
      if (!signal.aborted) throw cause;
    }
    return undefined;
  },
});
