import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from './shared.ts';

/** No compiler, no engine: `native/build.mjs` ends with this and says what is missing. */
const NOT_BUILT = 3;

export interface Build {
  /** Path of the program. */
  readonly program: string;
}

type Built = Build | { readonly missing: string };

/** The test program of the engine, built when its sources have changed, or why it can't be had on this machine. */
export function buildGuardTest(sanitizer?: 'address' | 'thread'): Built {
  const option = sanitizer === undefined ? '--test' : `--sanitize=${sanitizer}`;
  return build(option, sanitizer === undefined ? 'guard-test' : `guard-test-${sanitizer}`);
}

/** The fuzzer of the engine's loaders, under the address and undefined behaviour sanitizers. */
export function buildGuardFuzz(): Built {
  return build('--fuzz', 'guard-fuzz');
}

function build(option: string, name: string): Built {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(repositoryRoot, 'native/build.mjs'), option, '--quiet'],
    { encoding: 'utf8' },
  );
  if (status === NOT_BUILT) return { missing: stderr.trim().split('\n')[0] ?? 'the engine was not built' };
  if (status !== 0) throw new Error(`the engine's ${name} was not built:\n${stderr}`);
  return { program: join(repositoryRoot, 'native/build', name) };
}
