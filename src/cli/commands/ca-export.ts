import { writeFileSync } from 'node:fs';
import { defineCommand } from '../command.ts';
import { textOf } from '../output.ts';

export const caExport = defineCommand({
  name: 'ca export',
  summary: 'The certificate by which clients that use the gate as a proxy trust it, without sallyport run.',
  options: { out: { type: 'string', value: 'FILE', help: 'Write it there; default: standard output.' } },
  examples: ['sallyport ca export --out sallyport-ca.pem'],
  async run({ client, output, values }) {
    const exported = await client.post('/ca/export');
    const pem = textOf(exported.certificatePem);
    if (values.out !== undefined) {
      writeFileSync(values.out, pem);
      output.result({ file: values.out }, `Written to ${values.out}.`);
    } else if (output.json) output.result(exported, '');
    else output.raw(pem.endsWith('\n') ? pem : `${pem}\n`);
    return undefined;
  },
});
