import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';

export const auditExport = defineCommand({
  name: 'audit export',
  summary: 'The audit log as JSON, one record a line.',
  options: {
    after: { type: 'string', value: 'SEQUENCE', help: 'Only records behind this one.' },
    directory: { type: 'string', value: 'DIR', help: 'Read this folder, without a service.' },
    out: { type: 'string', value: 'FILE', help: 'Write there; default: standard output.' },
  },
  examples: [
    'sallyport audit export --out audit.ndjson',
    'sallyport audit export --directory copy/audit | jq .event.type',
  ],
  async run({ client, output, values }) {
    const after = values.after ?? '0';
    if (!/^\d{1,15}$/.test(after)) throw usageFault('--after is a sequence number.');
    const lines =
      values.directory === undefined
        ? client.lines('/audit/export', { after })
        : offlineLines(values.directory, Number(after));
    if (values.out === undefined) {
      for await (const line of lines) output.raw(`${line}\n`);
      return undefined;
    }
    const count = await writeLines(values.out, lines);
    output.result({ file: values.out, records: count }, `Wrote ${count} records to ${values.out}.`);
    return undefined;
  },
});

async function* offlineLines(directory: string, afterSequence: number): AsyncGenerator<string> {
  const { readAuditDirectory } = await import('../../audit/index.ts');
  for await (const record of readAuditDirectory(directory, { afterSequence })) yield JSON.stringify(record);
}

async function writeLines(file: string, lines: AsyncIterable<string>): Promise<number> {
  const out = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  await once(out, 'open');
  let count = 0;
  for await (const line of lines) {
    if (!out.write(`${line}\n`)) await once(out, 'drain');
    count += 1;
  }
  out.end();
  await once(out, 'close');
  return count;
}
