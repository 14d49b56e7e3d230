import { chmodSync, cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Paths } from '../config/index.ts';

/** A folder of the state that can't be used as it stands. */
export class StateError extends Error {
  constructor(folder: string, what: string) {
    super(`${folder}: ${what}`);
    this.name = 'StateError';
  }
}

/**
 * Makes what is missing of the state folder; true at the first start. Private folders are closed to other users,
 * and the shipped policies are put beside them when there are none.
 */
export function prepareStateFolder(paths: Paths, programRoot: string): { readonly first: boolean } {
  const first = !existsSync(paths.database) && !existsSync(paths.audit);
  for (const folder of [paths.home, paths.keys, paths.data]) makeFolder(folder);
  for (const folder of [paths.keys, paths.data]) {
    // Whoever reads them can forge passports or read the log; a clone's umask must not decide that.
    if ((statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
  }
  if (!existsSync(paths.policies)) {
    cpSync(join(programRoot, 'policies'), paths.policies, { recursive: true });
  }
  return { first };
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new StateError(
      folder,
      `can not be made (${cause instanceof Error ? cause.message : String(cause)}).`,
    );
  }
}
