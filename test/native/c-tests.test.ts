import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { fuzzLoaders } from '../fuzz/loaders.ts';
import { buildGuardTest } from '../support/guard-test.ts';

/** Building the engine from nothing takes a minute on two cores, and several on busy ones. */
const TIMEOUT_MS = 15 * 60_000;

/**
 * The emulated CUDA device runs the threads of a block as fibers on stacks of its own, which the sanitizers do not know: the
 * thread sanitizer takes a quarter of an hour for them, and the address sanitizer takes memory that once was such a stack
 * for one still. Its tests run as they are shipped.
 */
const WITHOUT_DEVICE = ['--without', 'the device'] as const;
const BUILDS = [
  ['as it is shipped', undefined, []],
  ['under the address and undefined behaviour sanitizers', 'address', WITHOUT_DEVICE],
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
      expect({ code, failed }, output.slice(-4000)).toEqual({ code: 0, failed: '0' });
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
