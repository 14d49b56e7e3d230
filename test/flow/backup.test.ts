import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliAnswer, cli } from '../support/cli.ts';
import {
  admin,
  mustSallyport,
  type ServiceProcess,
  startServiceProcess,
} from '../support/service-process.ts';

const SECRET = `fake-${'b'.repeat(40)}`;
let scratch: string;
let backup: string;
let passphraseFile: string;
let agentId: string;
let homeOfOriginal: string;
let records: number;

const restore = (file: string, to: string, ...more: string[]): Promise<CliAnswer> =>
  cli(
    { SALLYPORT_HOME: join(scratch, 'nowhere') },
    'restore',
    file,
    '--to',
    to,
    '--passphrase-file',
    passphraseFile,
    ...more,
  );

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'sallyport-backup-'));
  passphraseFile = join(scratch, 'passphrase');
  await writeFile(passphraseFile, 'a fake passphrase of the tests\n');
  homeOfOriginal = join(scratch, 'original');
  await mkdir(homeOfOriginal);
  const original = await startServiceProcess(homeOfOriginal);
  await fill(original);
  backup = join(scratch, 'state.backup');
  const out = await mustSallyport(original, [
    'backup',
    backup,
    '--passphrase-file',
    passphraseFile,
    '--json',
  ]);
  expect(JSON.parse(out)).toMatchObject({ file: backup, keys: expect.any(Number) });
  // The copy that the service made for us is gone again.
  expect((await readdir(join(homeOfOriginal, 'data'))).filter((name) => name.startsWith('backup_'))).toEqual(
    [],
  );
  records = Number((await admin(original, 'GET', '/audit')).json.lastSequence);
  // What comes after the backup is lost with the machine; what came before is not.
  await mustSallyport(original, ['agent', 'add', 'too-late', '--owner', 'team', '--scope', 'api:read']);
  await original.end('SIGKILL');
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function fill(service: ServiceProcess): Promise<void> {
  await mustSallyport(service, [
    'service',
    'add',
    'api',
    '--origin',
    'https://api.example.com',
    '--credential',
    'key',
  ]);
  await mustSallyport(service, ['credential', 'put', 'key', '--service', 'api', '--kind', 'bearer'], {
    input: SECRET,
  });
  await mustSallyport(service, ['agent', 'add', 'builder', '--owner', 'team', '--scope', 'api:read']);
  agentId = JSON.parse(await mustSallyport(service, ['agent', 'show', 'builder', '--json'])).id;
  await admin(service, 'POST', '/revocations', { kind: 'owner', value: 'gone-team', reason: 'test' });
}

describe('a backup of a running service', () => {
  it('is one private file, without a secret or a key in the clear', async () => {
    expect((await stat(backup)).mode & 0o777).toBe(0o600);
    const bytes = await readFile(backup);
    const token = (await readFile(join(homeOfOriginal, 'keys/admin-token'), 'utf8')).trim();
    const root = await readFile(join(homeOfOriginal, 'keys/root.key'));
    for (const secret of [SECRET, token, root, root.toString('base64'), root.toString('hex')]) {
      expect(bytes.includes(secret)).toBe(false);
    }
  });

  it('restored elsewhere after the original was killed, has agents, credentials, revocations and the log', async () => {
    const home = join(scratch, 'elsewhere');
    const answer = await restore(backup, home);
    expect(answer).toMatchObject({ code: 0 });
    const service = await startServiceProcess(home);
    try {
      const names = async (path: string, member: string) =>
        ((await admin(service, 'GET', path)).json.items as Record<string, unknown>[]).map(
          (one) => one[member],
        );
      expect(await names('/agents', 'id')).toEqual([agentId]);
      expect(await names('/credentials', 'name')).toEqual(['key']);
      expect(await names('/revocations', 'value')).toEqual(['gone-team']);
      // The root key opens what it sealed: a rotation of the keys wraps every credential anew.
      expect((await admin(service, 'POST', '/keys/vault/rotate')).json).toMatchObject({ rewrapped: 1 });
      const verified = (await admin(service, 'POST', '/audit/verify', {})).json;
      expect(verified).toMatchObject({ ok: true });
      expect(Number(verified.records)).toBeGreaterThanOrEqual(records);
      expect(await mustSallyport(service, ['agent', 'show', 'builder'])).toContain('builder');
    } finally {
      await service.end('SIGTERM');
    }
  });

  it('made of a stopped service is as good, and can leave the keys out with a warning', async () => {
    const stopped = join(scratch, 'stopped.backup');
    const environment = { SALLYPORT_HOME: homeOfOriginal, SALLYPORT_CONTROL_PORT: '1' };
    const made = await cli(environment, 'backup', stopped, '--without-keys');
    expect(made).toMatchObject({ code: 0, err: expect.stringContaining('NO keys') });
    const home = join(scratch, 'keyless');
    expect(await restore(stopped, home)).toMatchObject({
      code: 0,
      err: expect.stringContaining('put your copy of keys/'),
    });
    expect(await readdir(join(home, 'keys'))).toEqual(['audit-checkpoint.pub']);
    expect(await cli(environment, 'backup', stopped, '--without-keys')).toMatchObject({ code: 4 });
  });
});

describe('restore says no, and leaves nothing behind', () => {
  async function refused(file: string, what: RegExp, o: { to?: string; code?: number } = {}): Promise<void> {
    const to = o.to ?? join(scratch, 'refused');
    const before = await readdir(scratch);
    const answer = await restore(file, to);
    expect(answer.err).toMatch(what);
    expect(answer.code).toBe(o.code ?? 4);
    expect(await readdir(scratch)).toEqual(before);
  }

  it('to a place that is not empty', async () => {
    await refused(backup, /is not empty/, { to: homeOfOriginal });
  });

  it('to a wrong passphrase', async () => {
    const right = await readFile(passphraseFile);
    await writeFile(passphraseFile, 'another fake passphrase');
    await refused(backup, /passphrase does not open/);
    await writeFile(passphraseFile, 'short');
    await refused(backup, /at least 12/, { code: 2 });
    await writeFile(passphraseFile, right);
  });

  it('to a backup that was cut off, changed in any part, or is something else', async () => {
    const copy = join(scratch, 'broken.backup');
    const bytes = await readFile(backup);
    await copyFile(backup, copy);
    await truncate(copy, bytes.length - 10);
    await refused(copy, /is damaged: it ends inside of/);
    const from = bytes.indexOf('SQLite format 3');
    for (const at of [from + 5_000, bytes.length - 10]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await writeFile(copy, changed);
      await refused(copy, /is not what was written/);
    }
    await writeFile(copy, 'something else');
    await refused(copy, /is not a Sallyport backup/);
    // A table of contents that leads out of the folder.
    await writeFile(
      copy,
      bytes.toString('latin1').replace('data/sallyport.db', 'data/../../../evil'),
      'latin1',
    );
    await refused(copy, /table of contents/);
  });

  it('to the schema of another version', async () => {
    for (const [statement, what] of [
      [`insert into sallyport_migrations values (999, 'later', 'x', 1)`, /written by a newer Sallyport/],
      [
        'delete from sallyport_migrations where number = (select max(number) from sallyport_migrations)',
        /schema is older/,
      ],
    ] as const) {
      const home = join(scratch, 'other-version');
      await restore(backup, home);
      const database = new DatabaseSync(join(home, 'data/sallyport.db'));
      database.exec(statement);
      database.close();
      const made = join(scratch, 'other-version.backup');
      await cli(
        { SALLYPORT_HOME: home, SALLYPORT_CONTROL_PORT: '1' },
        'backup',
        made,
        '--passphrase-file',
        passphraseFile,
      );
      await rm(home, { recursive: true });
      await refused(made, what);
      await rm(made);
    }
  });

  it('to a log that was broken before it was kept', async () => {
    const home = join(scratch, 'broken-log');
    await restore(backup, home);
    const log = join(home, 'data/audit/0000000000000001.jsonl');
    await writeFile(log, (await readFile(log, 'utf8')).replace('"gone-team"', '"gone-taem"'));
    const made = join(scratch, 'broken-log.backup');
    await cli(
      { SALLYPORT_HOME: home, SALLYPORT_CONTROL_PORT: '1' },
      'backup',
      made,
      '--passphrase-file',
      passphraseFile,
    );
    await rm(home, { recursive: true });
    await refused(made, /audit log in the backup is broken at record/);
  });
});
