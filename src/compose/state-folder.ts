import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Paths } from '../config/index.ts';
import { hasCode, removeAbandonedDrafts, syncFolder } from '../files/index.ts';

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
export async function prepareStateFolder(
  paths: Paths,
  programRoot: string,
): Promise<{ readonly first: boolean }> {
  const first = !existsSync(paths.database) && !existsSync(paths.audit);
  for (const folder of [paths.home, paths.keys, paths.data]) makeFolder(folder);
  for (const folder of [paths.keys, paths.data]) {
    // Whoever reads them can forge passports or read the log; a clone's umask must not decide that.
    if ((statSync(folder).mode & 0o077) !== 0) chmodSync(folder, 0o700);
  }
  await removeAbandonedDrafts(paths.keys);
  if (!existsSync(paths.policies)) await copyPolicies(join(programRoot, 'policies'), paths.policies);
  return { first };
}

/** Whole or not at all: half of the shipped policies, left by a start that was killed, could allow too much. */
async function copyPolicies(from: string, to: string): Promise<void> {
  const draft = `${to}.${randomBytes(6).toString('hex')}.new`;
  try {
    cpSync(from, draft, { recursive: true });
    renameSync(draft, to);
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true });
    // Another start was first.
    if (!hasCode(cause, 'ENOTEMPTY') && !hasCode(cause, 'EEXIST')) throw cause;
  }
  await syncFolder(dirname(to));
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
