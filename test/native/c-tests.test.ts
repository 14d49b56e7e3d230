import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { fuzzLoaders } from '../fuzz/loaders.ts';
import { buildGuardTest } from '../support/guard-test.ts';

/** Building the engine and running its tests under the address sanitizer takes seven minutes on two idle cores. */
const TIMEOUT_MS = 25 * 60_000;

/**
 * The emulated CUDA device runs the threads of a block as fibers, thousands for a product of matrices, and the thread
 * sanitizer takes a quarter of an hour for their switches. A block's fibers share one thread, so that it has nothing to find between
 * them; its tests run as they are shipped and under the address sanitizer.
 */
const WITHOUT_DEVICE = ['--without', 'the device'] as const;
const BUILDS = [
  ['as it is shipped', undefined, []],
  ['under the address and undefined behaviour sanitizers', 'address', []],
  ['under the thread sanitizer', 'thread', WITHOUT_DEVICE],
] as const;

/** Faults that are made on purpose, and what is said of each. */
const PLANTED = [
  ['address', 'overflow', /AddressSanitizer: heap-buffer-overflow/],
  ['address', 'undefined', /runtime error: signed integer overflow/],
  ['address', 'leak', /LeakSanitizer: detected memory leaks/],
  ['thread', 'race', /ThreadSanitizer: data race/],
] as const;

/** Short: `npm run fuzz -- loaders` goes on for as long as it is told. */
const FUZZ = { seed: 20_261_129, inputs: 1_500, seconds: 0 };

function run(program: string, ...args: string[]): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 }, (fault, stdout, stderr) =>
      resolve({ code: fault === null ? 0 : (fault.signal ?? fault.code), output: `${stdout}${stderr}` }),
    );
  });
}

/** Each failed test with what it said of itself, and the end of the output, where a crash would be told. */
function whatFailed(output: string): string {
  const told = output.split('\n').filter((line) => /^FAIL|not so:/.test(line));
  return [...told, '...', output.slice(-2000)].join('\n');
}

describe('the engine in C++ (skipped where no C++ compiler is)', () => {
  it.for(BUILDS)(
    'passes its own tests %s',
    { timeout: TIMEOUT_MS },
    async ([, sanitizer, rest], { skip }) => {
      const built = buildGuardTest(sanitizer);
      if ('missing' in built) return skip(built.missing);
      const { code, output } = await run(built.program, ...rest);
      expect(output).not.toMatch(/Sanitizer|runtime error/);
      const failed = /(\d+) failed/.exec(output)?.[1];
      expect({ code, failed }, whatFailed(output)).toEqual({ code: 0, failed: '0' });
    },
  );

  it.for(PLANTED)(
    'is watched: the %s sanitizer reports a planted %s',
    { timeout: TIMEOUT_MS },
    async ([sanitizer, fault, words], { skip }) => {
      const built = buildGuardTest(sanitizer);
      if ('missing' in built) return skip(built.missing);
      const { code, output } = await run(built.program, 'plant', fault);
      expect(output).toMatch(words);
      expect(code).not.toBe(0);
    },
  );

  it('refuses every changed model file with a reason or scores with it, under sanitizers', {
    timeout: TIMEOUT_MS,
  }, async ({ skip }) => {
    const outcome = await fuzzLoaders(FUZZ);
    if ('missing' in outcome) return skip(outcome.missing);
    expect(outcome.output).not.toMatch(/Sanitizer|runtime error|BROKEN/);
    expect(outcome).toMatchObject({ kept: true, inputs: FUZZ.inputs });
  });
});
