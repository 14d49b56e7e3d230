import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { sourcesDigest } from '../../../native/sources.mjs';
import { GuardFault } from './fault.ts';

const NATIVE = join(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))), 'native');

const description = z.object({
  sources: z.string(),
  platform: z.string(),
  architecture: z.string(),
  sha256: z.string(),
});

/** The built addon, and the launcher of the child that loads it. */
export interface AddonFiles {
  readonly addon: string;
  readonly launcher: string;
}

/**
 * The addon of this clone, once it is known to be ours, whole, for this machine and made from the sources that lie
 * here; throws GuardFault `addon_unusable`, whose sentence says what to do. `native`: the folder with `build/`.
 */
export function findAddon(native: string = NATIVE): AddonFiles {
  const files = { addon: join(native, 'build/guard.node'), launcher: join(native, 'build/guard-launch') };
  const page = `${files.addon}.json`;
  if (!existsSync(files.addon) || !existsSync(page) || !existsSync(files.launcher)) {
    throw unusable('The guard engine is not built on this machine');
  }
  const made = readDescription(page);
  if (made === null) throw unusable('The guard engine is not described by the page beside it');
  if (made.platform !== process.platform || made.architecture !== process.arch) {
    throw unusable(`The guard engine was built for ${made.platform}-${made.architecture}`);
  }
  // A program in a container may come without the sources.
  if (existsSync(join(native, 'src')) && made.sources !== sourcesDigest(native)) {
    throw unusable('The guard engine was built from other sources than these');
  }
  if (createHash('sha256').update(readFileSync(files.addon)).digest('hex') !== made.sha256) {
    throw unusable('The guard engine was changed after it was built');
  }
  return files;
}

function readDescription(page: string): z.infer<typeof description> | null {
  try {
    return description.parse(JSON.parse(readFileSync(page, 'utf8')));
  } catch {
    return null;
  }
}

function unusable(what: string): GuardFault {
  return new GuardFault(
    'addon_unusable',
    `${what}: build it with npm run build:engine (a C++ compiler is all it needs).`,
  );
}
