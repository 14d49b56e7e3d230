import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './shared.ts';
import { testNamesOf } from './test-names.ts';

const known = new Map<string, ReadonlySet<string>>();

/** Whether a file of the repository declares, and runs, a test of that name (`suite > name`). */
export function hasTest(file: string, name: string): boolean {
  const path = join(repositoryRoot, file);
  if (!existsSync(path)) return false;
  const names = known.get(file) ?? new Set(testNamesOf(path));
  known.set(file, names);
  return names.has(name);
}
