// Runs before `npm start`, `npm test` and the like, on whatever Node the machine has (20 or newer): installs
// the locked packages when they are missing or the lockfile has changed, and leaves them alone otherwise, so
// that it never pulls the modules from under a service that runs. With an argument (`bench`) it does so for the
// packages of that folder, which has a lockfile of its own.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(dirname(fileURLToPath(import.meta.url))), process.argv[2] ?? '.');
const modules = join(root, 'node_modules');
const stamp = join(modules, '.sallyport-lock');
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const NEEDED_MAJOR = 24;

// A node_modules that is a link belongs to another checkout: installing would change that one's packages.
if (!isLink() && !isCurrent()) install();
if (process.argv[2] === undefined) checkRuntime();

function isLink() {
  return lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function isCurrent() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === wanted;
}

function install() {
  process.stderr.write('sallyport: installing the locked packages (once; takes about a minute)...\n');
  rmSync(stamp, { force: true });
  // npm tells its own scripts where it is; bin/sallyport comes here without npm.
  const cli = process.env.npm_execpath;
  // Not `npm ci`: it refuses a lockfile without the packages of foreign platforms, which a mirror may not have.
  // `install --no-save` takes the locked versions and hashes all the same, and never writes the lockfile.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = cli
    ? spawnSync(process.execPath, [cli, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (result.error) fail(`npm can not be started: ${result.error.message}`, 'Install npm 10 or newer.');
  if (result.status !== 0) {
    fail(
      'npm install did not succeed; its own words stand above.',
      'Check that this machine reaches its package registry, then repeat the command.',
    );
  }
  writeFileSync(stamp, `${wanted}\n`);
}

function checkRuntime() {
  if (existsSync(join(modules, '.bin', 'node'))) return;
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= NEEDED_MAJOR) return;
  fail(
    `This machine has Node ${process.versions.node}, and no pinned runtime exists for ${process.platform}-${process.arch}.`,
    `Install Node ${NEEDED_MAJOR} or newer, then repeat the command.`,
  );
}

function fail(what, remedy) {
  process.stderr.write(`sallyport: ${what}\n           ${remedy}\n`);
  process.exit(1);
}
