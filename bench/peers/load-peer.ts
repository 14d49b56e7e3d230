import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * A package of bench/package.json, by the shape that the benchmark uses of it: the repository is checked
 * without these packages, which `npm test` never needs.
 */
export async function loadPeer<T>(specifier: string): Promise<T> {
  return (await import(require.resolve(specifier))) as T;
}
