// The sources that the addon is made from, and their digest: the build writes it beside the addon, and whoever
// loads the addon compares.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Files below a folder, by the ends of their names, in one order on every machine. */
export function filesUnder(folder, endings) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** SHA-256 over names and bytes of everything that the addon depends on in `native/`. */
export function sourcesDigest(native) {
  const hash = createHash('sha256');
  const files = ['include', 'src', 'binding', 'launch'].flatMap((folder) =>
    filesUnder(join(native, folder), ['.h', '.inc', '.cc']),
  );
  for (const file of [...files, join(native, 'cuda/guard_cuda.h'), join(native, 'build.mjs')]) {
    hash
      .update(`${relative(native, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}
