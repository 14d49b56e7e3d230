import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../support/shared.ts';

const run = promisify(execFile);
const bin = (name: string): string => join(repositoryRoot, 'node_modules', '.bin', name);

/** Runs a tool; on failure its own output is what the reader needs. */
async function passes(tool: string, ...args: string[]): Promise<void> {
  try {
    await run(bin(tool), args, { cwd: repositoryRoot, maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    expect.fail(`${tool} ${args.join(' ')}\n${stdout}\n${stderr}`);
  }
}

describe('the house is in order', { timeout: 300_000 }, () => {
  it('has no lint or format fault (Biome)', () => passes('biome', 'check'));
  it('has no type fault (tsc)', () => passes('tsc'));
  it('keeps the order of the rooms (dependency-cruiser)', () =>
    passes('depcruise', '--config', '.dependency-cruiser.mjs', 'src'));
  it('has no dead code and no unlisted package (knip)', () => passes('knip'));

  it('reads the environment in config/ and at the entries alone', () => {
    const readers = sources('src')
      .filter((file) => /process\.env\b/.test(readFileSync(join(repositoryRoot, file), 'utf8')))
      .filter((file) => !/^src\/(config\/|main\.ts|cli\/|demo\/)/.test(file));
    expect(readers).toEqual([]);
  });

  it('locks every package by hash and names no registry', () => {
    const lock = JSON.parse(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { integrity?: string; resolved?: string }>;
    };
    const entries = Object.entries(lock.packages).filter(([path]) => path !== '');
    expect(entries.filter(([, entry]) => entry.integrity === undefined).map(([path]) => path)).toEqual([]);
    expect(entries.filter(([, entry]) => entry.resolved !== undefined).map(([path]) => path)).toEqual([]);
  });
});

function sources(folder: string): string[] {
  return readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}
