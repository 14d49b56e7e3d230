import { createReadStream } from 'node:fs';
import { link, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../../files/index.ts';
import { stateFault } from '../fault.ts';
import type { Entry } from './collect.ts';
import { MAGIC, type Manifest } from './format.ts';

/** Writes the backup whole, mode 0600, or not at all. Throws CliFault when there is a file by this name. */
export async function writeBackup(
  target: string,
  manifest: Manifest,
  entries: readonly Entry[],
): Promise<number> {
  const draft = `${target}.partial`;
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${MAGIC}${JSON.stringify(manifest)}\n`);
    for (const { source, bytes } of entries) {
      if (bytes === 0) continue;
      for await (const chunk of createReadStream(source, { end: bytes - 1 })) await file.write(chunk);
    }
    await file.sync();
    const { size } = await file.stat();
    // A link, unlike a rename, never replaces an older backup.
    await link(draft, target);
    await syncFolder(dirname(target));
    return size;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      throw stateFault(`${target} exists already.`, 'Choose another name.', cause);
    }
    throw cause;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}
