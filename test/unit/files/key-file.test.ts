import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createKeyFile,
  loadOrCreateRandomKey,
  readKeyFile,
  removeAbandonedDrafts,
  removeKeyFile,
  replaceKeyFile,
} from '../../../src/files/index.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-files-'));
  path = join(folder, 'a.key');
});
afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true, force: true });
});

const isRoot = process.getuid?.() === 0;

describe('a key file', () => {
  it('is made once, with mode 0600, by exactly one of many makers', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, (_, at) => createKeyFile(path, `key ${at}`)));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(String(await readKeyFile(path))).toBe(`key ${made.indexOf(true)}`);
    expect(await readdir(folder)).toEqual(['a.key']);
  });

  it.each([
    ['a symbolic link', async () => symlink('/etc/hostname', path), /is a symbolic link/],
    ['a folder', () => mkdir(path), /not a plain file/],
    // Opened without care, a pipe keeps the start waiting for ever.
    ['a pipe', async () => execFileSync('mkfifo', ['-m', '600', path]), /not a plain file/],
    ['readable by others', async () => writeFile(path, 'x', { mode: 0o604 }), /mode 0604.*chmod 600/],
    ['writable by the group', async () => writeFile(path, 'x').then(() => chmod(path, 0o620)), /chmod 600/],
    [
      'endless',
      async () => {
        await writeFile(path, 'x', { mode: 0o600 });
        await truncate(path, 1 << 30);
      },
      /more than any key/,
    ],
  ])('is refused by name when it is %s', async (_, make, reason) => {
    await make();
    await expect(readKeyFile(path)).rejects.toThrow(reason);
    await expect(readKeyFile(path)).rejects.toThrow(path);
  });

  it.skipIf(isRoot)(
    'that can not be written changes nothing, says so by name, and leaves no half',
    async () => {
      await createKeyFile(path, 'old');
      await chmod(folder, 0o500);
      await expect(replaceKeyFile(path, 'new')).rejects.toThrow(/a\.key can not be written/);
      await expect(createKeyFile(join(folder, 'b.key'), 'b')).rejects.toThrow(/b\.key can not be written/);
      expect(String(await readKeyFile(path))).toBe('old');
      expect(await readdir(folder)).toEqual(['a.key']);
    },
  );

  it('is replaced whole, and taken away for good', async () => {
    await replaceKeyFile(path, 'one');
    await replaceKeyFile(path, 'two');
    expect(String(await readKeyFile(path))).toBe('two');
    await removeKeyFile(path);
    await removeKeyFile(path);
    expect(await readKeyFile(path)).toBeNull();
  });

  it('keeps its old content for who opened it before it was replaced', async () => {
    await replaceKeyFile(path, 'one');
    const before = await open(path, constants.O_RDONLY);
    await replaceKeyFile(path, 'two');
    expect(await before.readFile('utf8')).toBe('one');
    await before.close();
  });
});

describe('drafts of killed processes', () => {
  it('go when they are old; young ones, and files of other names, stay', async () => {
    await createKeyFile(path, 'key');
    const old = `${path}.0123456789ab.new`;
    const young = `${path}.ba9876543210.new`;
    for (const draft of [old, young, `${path}.new`]) await copyFile(path, draft);
    const long = new Date(Date.now() - 10 * 60_000);
    for (const draft of [old, `${path}.new`]) await utimes(draft, long, long);
    await removeAbandonedDrafts(folder);
    expect((await readdir(folder)).sort()).toEqual(['a.key', 'a.key.ba9876543210.new', 'a.key.new']);
  });
});

describe('a random key', () => {
  it('is the same for all who come at once, and afterwards', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateRandomKey(path, 'tests')));
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    expect(keys[0]).toHaveLength(32);
  });

  it.each(['', 'abc\n', `${'a'.repeat(63)}\n`, `${'A'.repeat(64)}\n`, `${'a'.repeat(64)}`])(
    'that was cut off or edited is refused, and never made anew (%j)',
    async (text) => {
      await writeFile(path, text, { mode: 0o600 });
      await expect(loadOrCreateRandomKey(path, 'tests')).rejects.toThrow(
        /restore it from a backup, since tests/,
      );
      expect(String(await readKeyFile(path))).toBe(text);
    },
  );
});
