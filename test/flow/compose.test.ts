import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { environmentOf, newHome, removeHome } from '../support/service-process.ts';
import { repositoryRoot } from '../support/shared.ts';

const PORTS = { control: 18_470, gateway: 18_471 };

/** No container engine is needed here: each service's own command runs as a plain process. */
describe('the commands of docker-compose.yml, as plain processes', () => {
  let home: string;
  let database: TestPostgres | { readonly missing: string };
  let child: ChildProcess | null = null;

  beforeAll(async () => {
    home = await newHome();
    const file = parse(await readFile(join(repositoryRoot, 'docker-compose.yml'), 'utf8'));
    // The image's entry point adds the data folder; what the file says is the program and its settings.
    const [program, ...settings] = file.services.postgres.command as string[];
    expect(program).toBe('postgres');
    database = await startPostgres(settings);
  });
  afterAll(async () => {
    child?.kill('SIGKILL');
    if ('stop' in database) await database.stop();
    await removeHome(home);
  });

  it('start PostgreSQL, and the service on it', async ({ skip }) => {
    if ('missing' in database) skip(`no PostgreSQL can be had here: ${database.missing}`);
    const postgres = database as TestPostgres;
    const url = new URL(await postgres.newDatabase());
    const password = join(home, 'postgres-password.txt');
    await writeFile(password, `${url.password}\n`);

    const file = parse(await readFile(join(repositoryRoot, 'docker-compose.yml'), 'utf8'));
    const { command, environment } = file.services.sallyport;
    // What the container would provide: the secret's place, the database's name, and `$$` for `$`.
    const [shell, ...args] = (command as string[]).map((word) =>
      word
        .replaceAll('$$', '$')
        .replaceAll('/run/secrets/postgres-password', password)
        .replaceAll('@postgres:5432/sallyport', `@${url.host}${url.pathname}`),
    );
    child = spawn(shell ?? '', args, {
      cwd: repositoryRoot,
      env: environmentOf(home, {
        ...environment,
        SALLYPORT_CONTROL_PORT: String(PORTS.control),
        SALLYPORT_GATEWAY_PORT: String(PORTS.gateway),
        SALLYPORT_CONTROL_PUBLIC_URL: `http://127.0.0.1:${PORTS.control}`,
        SALLYPORT_GATEWAY_PUBLIC_URL: `http://127.0.0.1:${PORTS.gateway}`,
        PATH: `${join(repositoryRoot, 'node_modules/.bin')}:${process.env.PATH}`,
      }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    await vi.waitFor(
      async () => {
        const answer = await fetch(`http://127.0.0.1:${PORTS.gateway}/healthz`).catch(() => null);
        expect(answer?.status, output).toBe(200);
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(output).not.toContain(url.password);
    const exited = new Promise<number | null>((resolve) => child?.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await exited, output).toBe(0);
  });
});
