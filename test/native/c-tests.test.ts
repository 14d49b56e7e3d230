import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { buildGuardTest } from '../support/guard-test.ts';

/** Building the engine from nothing takes a minute on two cores, and several on busy ones. */
const TIMEOUT_MS = 15 * 60_000;

const BUILDS = [
  ['as it is shipped', undefined],
  ['under the address and undefined behaviour sanitizers', 'address'],
  ['under the thread sanitizer', 'thread'],
] as const;

function run(program: string): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    execFile(program, { timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 }, (fault, stdout, stderr) =>
      resolve({ code: fault === null ? 0 : (fault.signal ?? fault.code), output: `${stdout}${stderr}` }),
    );
  });
}

describe('the engine in C++ (skipped where no C++ compiler is)', () => {
  it.for(BUILDS)('passes its own tests %s', { timeout: TIMEOUT_MS }, async ([, sanitizer], { skip }) => {
    const built = buildGuardTest(sanitizer);
    if ('missing' in built) return skip(built.missing);
    const { code, output } = await run(built.program);
    expect(output).not.toMatch(/Sanitizer|runtime error/);
    const failed = /(\d+) failed/.exec(output)?.[1];
    expect({ code, failed }, output.slice(-4000)).toEqual({ code: 0, failed: '0' });
  });
});
