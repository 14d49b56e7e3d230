import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Found, fault, ok, warning } from '../finding.ts';
import type { Patient } from '../patient.ts';

const NEEDED_MAJOR = 24;

/** The runtime, and whether the packages are those of the lockfile (scripts/ensure-install.mjs writes the stamp). */
export function checkProgram({ programRoot }: Pick<Patient, 'programRoot'>): Found[] {
  return [runtime(process.versions.node), ...packages(programRoot)];
}

export function runtime(version: string): Found {
  const major = Number(version.split('.')[0]);
  if (major >= NEEDED_MAJOR) return ok(`Node ${version}.`);
  return fault(
    `This is Node ${version}; Sallyport needs Node ${NEEDED_MAJOR} or newer.`,
    `Install Node ${NEEDED_MAJOR}, or start through npm or bin/sallyport, which bring the pinned runtime along.`,
  );
}

function packages(root: string): Found[] {
  const lockfile = join(root, 'package-lock.json');
  const remedy = `Run: npm install --no-save (in ${root}), with the service stopped.`;
  if (!existsSync(lockfile)) return [warning(`${lockfile} is missing.`, 'Restore it from the release.')];
  const stamp = join(root, 'node_modules', '.sallyport-lock');
  if (!existsSync(stamp)) {
    return [warning('Nothing says that the installed packages are those of the lockfile.', remedy)];
  }
  const wanted = createHash('sha256').update(readFileSync(lockfile)).digest('hex');
  if (readFileSync(stamp, 'utf8').trim() === wanted)
    return [ok('The installed packages are the locked ones.')];
  return [warning('The lockfile has changed since the packages were installed.', remedy)];
}
