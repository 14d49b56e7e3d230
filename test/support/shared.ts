import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const repositoryRoot: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Shared test material (`SALLYPORT_SHARED`, default ../shared), or null where there is none. */
export function findShared(): string | null {
  const folder = resolve(repositoryRoot, process.env.SALLYPORT_SHARED ?? '../shared');
  return existsSync(folder) ? folder : null;
}

/** Its folder of vectors, or null. */
export function findVectors(): string | null {
  const shared = findShared();
  const folder = shared === null ? null : join(shared, 'vectors');
  return folder !== null && existsSync(folder) ? folder : null;
}
