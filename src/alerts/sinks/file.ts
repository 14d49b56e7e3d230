import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseWith } from './parse-options.ts';
import type { Attempt, SinkKind } from './sink-kind.ts';

/** A plain name: whoever may add sinks must not thereby choose any file of the machine. */
const optionsShape = z.strictObject({
  file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,59}\.jsonl$/, {
    error: 'must be a plain file name that ends in .jsonl',
  }),
});

const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/** One JSON line an alert, in a file (mode 0600) of the alerts folder, for collectors that follow files. */
export const file: SinkKind = {
  signs: false,
  parseOptions: (options) => parseWith(optionsShape, options),
  async deliver({ options, message, tools }): Promise<Attempt> {
    const { file: name } = optionsShape.parse(options);
    try {
      await mkdir(tools.directory, { recursive: true, mode: 0o700 });
      await appendLine(join(tools.directory, name), JSON.stringify(message));
      return { outcome: 'delivered' };
    } catch (fault) {
      const error = fault instanceof Error ? fault.message : String(fault);
      return { outcome: 'failed', error, retryAfterMs: null };
    }
  },
};

async function appendLine(path: string, line: string): Promise<void> {
  const handle = await open(path, APPEND, 0o600);
  try {
    // A write that a crash cut short must not swallow the next alert.
    const start = (await endsInNewline(handle)) ? '' : '\n';
    await handle.writeFile(`${start}${line}\n`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

async function endsInNewline(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return true;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 10;
}
