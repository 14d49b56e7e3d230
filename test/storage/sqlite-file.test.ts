import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStorage, type Storage, StorageFault } from '../../src/storage/index.ts';
import { agent, credential } from './records.ts';

const CHILD = fileURLToPath(new URL('./open-storage-child.ts', import.meta.url));

describe('the SQLite file', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-file-'));
    file = join(folder, 'state', 'sallyport.db');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = (): Promise<Storage> => openStorage({ kind: 'sqlite', file, durability: 'power' });
  const prepare = async () => {
    const storage = await open();
    for (let index = 0; index < 200; index += 1) {
      await storage.agents.insert(agent({ id: `agent_${index}`, name: `n${index}` }));
    }
    await storage.close();
  };

  test('is made, with its log, for the owner alone', async () => {
    const storage = await open();
    await storage.agents.insert(agent());
    for (const path of [file, `${file}-wal`]) expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'state'))).mode & 0o777).toBe(0o700);
    await storage.close();
  });

  test('is made anew where a crash at the first start left an empty one', async () => {
    await prepare();
    await rm(file);
    await writeFile(file, '');
    await (await open()).close();
  });

  test.each([
    ['text', async () => writeFile(file, 'port: 8470\n')],
    ['half of a first page', async () => truncate(file, 700)],
    ['a file cut in the middle', async () => truncate(file, 4096 * 5)],
    [
      'overwritten pages',
      async () => {
        const content = await readFile(file);
        content.fill(0xa5, 4096 * 2, 4096 * 6);
        await writeFile(file, content);
      },
    ],
  ])('is refused by name when it holds %s', async (_, damage) => {
    await prepare();
    await damage();
    const fault = await open().catch((cause: unknown) => cause);
    expect(fault).toBeInstanceOf(StorageFault);
    expect(String(fault)).toContain(file);
    expect(String(fault)).toMatch(/damaged|not an SQLite database/);
  });

  test('is refused, and left as it is, when it belongs to another program', async () => {
    await prepare();
    await rm(file);
    const other = new DatabaseSync(file);
    other.exec('create table bookmarks (url text)');
    other.close();
    const before = await readFile(file);
    await expect(open()).rejects.toThrow(/a database of another program/);
    const after = new DatabaseSync(file, { readOnly: true });
    expect(after.prepare('select name from sqlite_schema').all()).toEqual([{ name: 'bookmarks' }]);
    after.close();
    expect(before.length).toBe((await readFile(file)).length);
  });

  test('is named when its folder can not be made', async () => {
    await writeFile(join(folder, 'state'), 'a file where the folder should be');
    await expect(open()).rejects.toThrow(StorageFault);
  });

  test('serves one process at a time, and that one once: a second try does not loosen its lock', async () => {
    const storage = await open();
    await expect(open()).rejects.toThrow(/in use by another process/);
    const child = fork(CHILD, [file], { stdio: 'ignore' });
    expect((await once(child, 'message'))[0]).toMatch(/in use by another process/);
    await storage.close();
  });

  test('keeps what was acknowledged when its process is killed, and is free at once', async () => {
    const child = fork(CHILD, [file, 'write'], {
      stdio: 'ignore',
    });
    let acknowledged = 0;
    const enough = new Promise<void>((resolve) => {
      child.on('message', () => {
        acknowledged += 1;
        if (acknowledged === 25) resolve();
      });
    });
    await enough;
    child.kill('SIGKILL');
    await once(child, 'exit');
    const storage = await open();
    const found = await storage.agents.list('default', { after: null, limit: 1_000 });
    expect(found.length).toBeGreaterThanOrEqual(acknowledged);
    await storage.close();
  });

  test('holds no byte of a revoked secret', async () => {
    const storage = await open();
    const sealed = new TextEncoder().encode('sealed-bytes-that-must-go');
    await storage.credentials.insert(credential({ sealed }));
    await storage.credentials.revoke('default', 'github', 2_000);
    await storage.close();
    expect((await readFile(file)).includes('sealed-bytes-that-must-go')).toBe(false);
  });
});
