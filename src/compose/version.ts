import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that the program stands in: the clone, or the package. */
export const PROGRAM_ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export function programVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(PROGRAM_ROOT, 'package.json'), 'utf8'));
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : null;
  if (typeof version !== 'string') throw new TypeError('package.json names no version');
  return version;
}
