import { writeFileSync } from 'node:fs';
import { defineCommand } from '../command.ts';
import { textOf } from '../output.ts';

export const auditCheckpoint = defineCommand({
  name: 'audit checkpoint',
  summary: 'Sign how long the log is and what it holds; keep the note on another machine.',
  options: {
    out: { type: 'string', value: 'FILE', help: 'Write the note there; default: standard output.' },
  },
  examples: ['sallyport audit checkpoint --out /mnt/elsewhere/checkpoint.txt'],
  async run({ client, output, values }) {
    const checkpoint = await client.post('/audit/checkpoint');
    const note = textOf(checkpoint.note);
    if (values.out !== undefined) {
      writeFileSync(values.out, note);
      output.result(
        { file: values.out, size: checkpoint.size },
        `Signed ${textOf(checkpoint.size)} records, in ${values.out}.`,
      );
    } else if (output.json) output.result(checkpoint, '');
    else output.raw(note);
    return undefined;
  },
});
