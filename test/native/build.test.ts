import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sourcesDigest } from '../../native/sources.mjs';
import { findAddon } from '../../src/guard/engine/addon-file.ts';
import { repositoryRoot } from '../support/shared.ts';
import { addonOrReason } from './support.ts';

const found = addonOrReason();

describe('the build of the guard engine', () => {
  let clone: string;
  beforeEach(() => {
    clone = mkdtempSync(join(tmpdir(), 'sallyport-native-'));
    for (const part of [
      'scripts/ensure-engine.mjs',
      ...['build.mjs', 'build-cuda.mjs', 'sources.mjs', 'include', 'src', 'cuda', 'binding', 'launch'].map(
        (one) => `native/${one}`,
      ),
    ]) {
      cpSync(join(repositoryRoot, part), join(clone, part), { recursive: true });
    }
  });
  afterEach(() => rmSync(clone, { recursive: true, force: true }));

  /** As `npm start` does it, on a machine with these programs alone. */
  function ensure(path: string, more: Record<string, string> = {}) {
    return spawnSync(process.execPath, [join(clone, 'scripts/ensure-engine.mjs')], {
      env: { PATH: path, ...more },
      encoding: 'utf8',
    });
  }

  it('says what is missing and what works without it where there is no compiler, and lets the start go on', () => {
    const { status, stderr, stdout } = ensure('/nonexistent', { CXX: '/nonexistent/g++' });
    expect(status).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain('no C++ compiler was found');
    expect(stderr).toContain('apt-get install g++');
    expect(stderr).toContain('Without it the gate works');
    expect(() => findAddon(join(clone, 'native'))).toThrow(
      /is not built on this machine: .*npm run build:engine/,
    );
  });

  it('lets the start go on where the compiler fails, and leaves nothing half-built', () => {
    const bin = join(clone, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'g++'),
      '#!/bin/sh\ncase "$1" in --version) echo fake 1.0;; *) echo "fake: no" >&2; exit 1;; esac\n',
    );
    chmodSync(join(bin, 'g++'), 0o755);
    cpSync(join(repositoryRoot, 'package.json'), join(clone, 'package.json'));
    mkdirSync(join(clone, 'node_modules/node-addon-api'), { recursive: true });
    mkdirSync(join(clone, 'node_modules/node-api-headers/include'), { recursive: true });
    writeFileSync(join(clone, 'node_modules/node-addon-api/napi.h'), '');
    writeFileSync(join(clone, 'node_modules/node-api-headers/include/node_api.h'), '');
    const { status, stderr } = ensure(`${bin}:/bin:/usr/bin`, { CXX: join(bin, 'g++') });
    expect(status).toBe(0);
    expect(stderr).toContain('fake: no');
    expect(stderr).toContain('The guard engine was not built');
    expect(() => findAddon(join(clone, 'native'))).toThrow(/not built/);
  });

  describe('what stands beside an addon', () => {
    function put(change: Record<string, string> = {}, bytes = 'an addon'): void {
      const build = join(clone, 'native/build');
      mkdirSync(build, { recursive: true });
      writeFileSync(join(build, 'guard.node'), bytes);
      writeFileSync(join(build, 'guard-launch'), 'a launcher');
      const page = {
        sources: sourcesDigest(join(clone, 'native')),
        platform: process.platform,
        architecture: process.arch,
        sha256: '2bd3e9ea9a6e1a03e8bb4d3e7b3d13b9c7fc1a7c4ab5e63a5a3d0bb4a0d4d7f5',
        ...change,
      };
      writeFileSync(join(build, 'guard.node.json'), JSON.stringify(page));
    }
    const native = () => join(clone, 'native');

    it('tells one that was made for another machine', () => {
      put({ architecture: 'riscv64' });
      expect(() => findAddon(native())).toThrow(/built for .*-riscv64/);
    });

    it('tells one that is older than its sources', () => {
      put();
      writeFileSync(
        join(native(), 'src/api.cc'),
        `${readFileSync(join(native(), 'src/api.cc'), 'utf8')}\n// more\n`,
      );
      expect(() => findAddon(native())).toThrow(/built from other sources/);
    });

    it('tells one that was changed after it was built', () => {
      put();
      expect(() => findAddon(native())).toThrow(/changed after it was built/);
    });

    it('tells a page that is none', () => {
      put();
      writeFileSync(join(native(), 'build/guard.node.json'), '{');
      expect(() => findAddon(native())).toThrow(/not described/);
    });
  });

  it.skipIf('reason' in found)('does nothing where the engine is current', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(repositoryRoot, 'scripts/ensure-engine.mjs')],
      {
        env: { PATH: '/nonexistent' },
        encoding: 'utf8',
      },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
