import { existsSync, readFileSync } from 'node:fs';
import { defineCommand } from '../command.ts';
import { stateFault } from '../fault.ts';
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
      const { replaceKeyFile } = await import('../../files/index.ts');
      assertNotBehind(values.out, note);
      await replaceKeyFile(values.out, note, 0o644);
      output.result(
        { file: values.out, size: checkpoint.size },
        `Signed ${textOf(checkpoint.size)} records, in ${values.out}.`,
      );
    } else if (output.json) output.result(checkpoint, '');
    else output.raw(note);
    return undefined;
  },
});

/** The note that is kept may be the only proof that the log was cut: one over fewer records never replaces it. */
function assertNotBehind(file: string, note: string): void {
  if (!existsSync(file)) return;
  const kept = partsOf(readFileSync(file, 'utf8'));
  const fresh = partsOf(note);
  const isSame = kept.size === fresh.size && kept.root === fresh.root;
  if (kept.origin !== fresh.origin || kept.size < fresh.size || isSame) return;
  throw stateFault(
    `${file} vouches for ${kept.size} records, and the log does not hold them: it was cut, changed or begun anew.`,
    `Keep that note; sallyport audit verify --checkpoint ${file} says more. Write the new one to another file.`,
  );
}

function partsOf(note: string) {
  const [origin = '', size = '', root = ''] = note.split('\n');
  return { origin, size: Number(size), root };
}
