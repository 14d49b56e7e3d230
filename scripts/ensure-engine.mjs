// Runs before `npm start`, `npm test` and the like, behind ensure-install.mjs: builds the native guard engine where
// it is missing or older than its sources. It never fails: without an engine the gate works, says so in every
// status output, and this says what is missing. The CUDA library is built too where both a driver and nvcc are found.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = join(dirname(dirname(fileURLToPath(import.meta.url))), 'native');

if (existsSync(join(native, 'build.mjs'))) {
  if (!(await isCurrent())) build([], 'the guard engine (once; takes about a minute)');
  const { findNvcc, hasDriver } = await import('../native/build-cuda.mjs');
  // Cached: when nothing has changed, this only compares.
  if (hasDriver() && findNvcc() !== null) build(['--cuda', '--quiet'], "the guard engine's CUDA library");
}

async function isCurrent() {
  const page = join(native, 'build/guard.node.json');
  if (!['build/guard.node', 'build/guard-launch'].every((file) => existsSync(join(native, file))))
    return false;
  if (!existsSync(page)) return false;
  const { sourcesDigest } = await import('../native/sources.mjs');
  try {
    const made = JSON.parse(readFileSync(page, 'utf8'));
    return (
      made.sources === sourcesDigest(native) &&
      made.platform === process.platform &&
      made.architecture === process.arch
    );
  } catch {
    // A page that can't be read is a page of nothing: the build writes it anew.
    return false;
  }
}

function build(options, what) {
  if (process.platform === 'win32') return;
  process.stderr.write(`sallyport: building ${what}...\n`);
  // Both streams of the build go to standard error: the output of the command that follows stays its own.
  const result = spawnSync(process.execPath, [join(native, 'build.mjs'), ...options], {
    stdio: ['ignore', 2, 2],
  });
  if (result.error)
    process.stderr.write(`sallyport: the build can not be started: ${result.error.message}\n`);
}
