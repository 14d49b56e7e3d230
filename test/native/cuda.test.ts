import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findNvcc } from '../../native/build-cuda.mjs';
import { buildGuardTest } from '../support/guard-test.ts';
import { repositoryRoot } from '../support/shared.ts';

const TIMEOUT_MS = 15 * 60_000;
const BUILD = join(repositoryRoot, 'native/build.mjs');
const SCRIPT = join(repositoryRoot, 'native/test/gpu.sh');

describe('the CUDA library', () => {
  it('is compiled by nvcc for one architecture (skipped where no nvcc is)', { timeout: TIMEOUT_MS }, ({
    skip,
  }) => {
    if (findNvcc() === null) return skip('nvcc was not found');
    const built = spawnSync(process.execPath, [BUILD, '--cuda=90', '--quiet'], { encoding: 'utf8' });
    expect({ status: built.status, stderr: built.stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('says what is missing and what works without it where there is no nvcc', () => {
    const { status, stderr } = spawnSync(process.execPath, [BUILD, '--cuda'], {
      env: { ...process.env, NVCC: '/nonexistent/nvcc' },
      encoding: 'utf8',
    });
    expect(status).toBe(3);
    expect(stderr).toContain('nvcc was not found');
    expect(stderr).toContain('Install the CUDA toolkit');
    expect(stderr).toContain('computes on the CPU');
  });
});

describe('the script for a machine with a GPU (skipped where no C++ compiler is)', () => {
  it('checks, times and writes its page, here with the emulated device', { timeout: TIMEOUT_MS }, ({
    skip,
  }) => {
    const built = buildGuardTest();
    if ('missing' in built) return skip(built.missing);
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-gpu-'));
    try {
      const page = join(folder, 'page.md');
      const { status, stderr } = spawnSync(SCRIPT, ['--dry', '--out', page, '--library', emulated()], {
        env: { ...process.env, GUARD_GPU_PROGRAM: built.program },
        encoding: 'utf8',
      });
      expect(status, stderr).toBe(0);
      expect(stderr).toContain('all agree');
      const written = readFileSync(page, 'utf8');
      expect(written).toContain('# The CUDA backend, measured');
      expect(written).not.toContain('FAIL');
      expect(written).toMatch(/a quarter of the layers on the device .* the resident bits/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('ends with a failure, and writes no page, where the device can not be had', ({ skip }) => {
    const built = buildGuardTest();
    if ('missing' in built) return skip(built.missing);
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-gpu-'));
    try {
      const page = join(folder, 'page.md');
      const { status } = spawnSync(SCRIPT, ['--dry', '--out', page, '--library', '/dev/null'], {
        env: { ...process.env, GUARD_GPU_PROGRAM: built.program },
        encoding: 'utf8',
      });
      expect(status).not.toBe(0);
      expect(() => readFileSync(page)).toThrow(/ENOENT/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function emulated(): string {
  return join(repositoryRoot, 'native/build/libguard_cuda_emulated.so');
}
