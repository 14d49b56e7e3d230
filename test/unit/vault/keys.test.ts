import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Keyring } from '../../../src/vault/keyring.ts';
import {
  BEARER,
  type Bench,
  fakeSecret,
  openBench,
  permitFor,
  RECEIPT,
  secretOf,
  textOf,
} from './support.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-keys-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const openFile = () => Keyring.open(folder, { kind: 'file' });
const openWith = (passphrase: string) =>
  Keyring.open(folder, { kind: 'passphrase', passphrase: secretOf(passphrase) });
const keyOf = (keyring: Keyring, id: string) => keyring.use(id, (key) => Buffer.from(key).toString('hex'));

describe('the file seal', () => {
  it('makes a root key of 32 bytes that its owner alone can read, and finds it again', async () => {
    const first = await openFile();
    const key = keyOf(first, first.currentId);
    first.close();
    const { size, mode } = await stat(join(folder, 'root.key'));
    expect([size, mode & 0o777]).toEqual([32, 0o600]);
    const second = await openFile();
    expect(keyOf(second, second.currentId)).toBe(key);
    second.close();
  });

  it('is made once when several processes start at the same time', async () => {
    const keyrings = await Promise.all(Array.from({ length: 8 }, openFile));
    expect(new Set(keyrings.map((keyring) => keyOf(keyring, 'kek-1'))).size).toBe(1);
    for (const keyring of keyrings) keyring.close();
  });

  it.each([
    ['of another size', (path: string) => writeFile(path, randomBytes(31)), /root\.key has 31 bytes/],
    ['that is empty', (path: string) => writeFile(path, ''), /root\.key has 0 bytes/],
    ['of zeros', (path: string) => writeFile(path, Buffer.alloc(32)), /root\.key holds no random key/],
    ['that others can read', (path: string) => chmod(path, 0o640), /mode 0640.*chmod 600/],
    ['of another vault', (path: string) => writeFile(path, randomBytes(32)), /is not the root key/],
    ['that is gone', (path: string) => rm(path), /root\.key is missing/],
    [
      'that is a link',
      async (path: string) => {
        await rm(path);
        await writeFile(`${path}.real`, randomBytes(32), { mode: 0o600 });
        await symlink(`${path}.real`, path);
      },
      /root\.key is a symbolic link/,
    ],
  ])('refuses a root key %s, names the file and changes nothing', async (_what, damage, message) => {
    (await openFile()).close();
    const state = await readFile(join(folder, 'vault.json'), 'utf8');
    await damage(join(folder, 'root.key'));
    await expect(openFile()).rejects.toThrow(message);
    expect(await readFile(join(folder, 'vault.json'), 'utf8')).toBe(state);
  });

  it.each(['', '{', '{"format":2}', '{"format":1,"seal":"file","rootCheck":"x","generation":0}'])(
    'refuses a state file that holds %j',
    async (text) => {
      (await openFile()).close();
      await writeFile(join(folder, 'vault.json'), text);
      await expect(openFile()).rejects.toThrow(/vault\.json is damaged/);
    },
  );

  it('goes on where a first start was killed before the state file was there', async () => {
    const first = await openFile();
    const key = keyOf(first, 'kek-1');
    first.close();
    await rm(join(folder, 'vault.json'));
    const second = await openFile();
    expect(keyOf(second, 'kek-1')).toBe(key);
    second.close();
  });
});

describe('the passphrase seal', () => {
  const PASSPHRASE = 'fake correct horse battery';

  it('opens with its passphrase and tells a wrong one at once', async () => {
    const first = await openWith(PASSPHRASE);
    const key = keyOf(first, 'kek-1');
    first.close();
    const second = await openWith(PASSPHRASE);
    expect(keyOf(second, 'kek-1')).toBe(key);
    second.close();
    await expect(openWith(`${PASSPHRASE}!`)).rejects.toThrow(/passphrase does not open .*root\.sealed\.json/);
    const kept = JSON.parse(await readFile(join(folder, 'root.sealed.json'), 'utf8'));
    expect(kept).toMatchObject({ kdf: 'argon2id', memoryKib: 65_536, passes: 3 });
    expect(JSON.stringify(kept)).not.toContain('horse');
  });

  it('refuses a short passphrase, cheaper costs, and a folder that is sealed another way', async () => {
    await expect(openWith('fake-short')).rejects.toThrow(/at least 12/);
    (await openWith(PASSPHRASE)).close();
    await expect(openFile()).rejects.toThrow(/sealed by passphrase/);
    const path = join(folder, 'root.sealed.json');
    const kept = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...kept, memoryKib: 8 }));
    await expect(openWith(PASSPHRASE)).rejects.toThrow(/root\.sealed\.json is damaged/);
    await writeFile(path, JSON.stringify({ ...kept, passes: 4 }));
    await expect(openWith(PASSPHRASE)).rejects.toThrow(/does not open/);
  });
});

describe('key-encryption keys', () => {
  it('are different in each generation, and ids that nobody made open nothing', async () => {
    const keyring = await openFile();
    expect(keyOf(keyring, 'kek-1')).not.toBe(keyOf(keyring, 'kek-2'));
    for (const id of ['', 'kek-0', 'kek-01', 'kek--1', '../kek-1', 'kek-1 ', 'kek-9999999']) {
      expect(keyring.use(id, () => true)).toBeNull();
    }
    keyring.close();
  });

  it('keep what they wrapped through many generations', async () => {
    const keyring = await openFile();
    const first = keyOf(keyring, 'kek-1');
    for (let id = 2; id < 100; id++) keyOf(keyring, `kek-${id}`);
    expect(keyOf(keyring, 'kek-1')).toBe(first);
    keyring.close();
  });
});

describe('derived keys', () => {
  const derived = (keyring: Keyring, ...names: string[]) => {
    using key = keyring.derive(names);
    return key.use((bytes) => Buffer.from(bytes).toString('hex'));
  };

  it('are the same at each start and in each generation, and of these names alone', async () => {
    const first = await openFile();
    const key = derived(first, 'a', 'bc');
    expect(key).toHaveLength(64);
    await first.rotate();
    expect(derived(first, 'a', 'bc')).toBe(key);
    first.close();
    const second = await openFile();
    expect(derived(second, 'a', 'bc')).toBe(key);
    const others = [
      derived(second, 'ab', 'c'),
      derived(second, 'a'),
      derived(second),
      keyOf(second, 'kek-1'),
    ];
    expect(new Set([key, ...others]).size).toBe(5);
    second.close();
  });
});

describe('rotateKeys', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await openBench();
  });
  afterEach(() => bench.close());

  it('wraps every active credential with the next generation, and all of them still open', async () => {
    const secret = fakeSecret();
    const put = (name: string) =>
      bench.vault.put({ tenant: 'default', name, secret: secretOf(secret), binding: BEARER }, 'admin');
    await Promise.all(['one', 'two', 'three'].map(put));
    await bench.vault.revoke({ tenant: 'default', name: 'three' }, 'admin');
    const blob = bench.vault.sealBlob('sink/1', Buffer.from('fake-webhook-secret'));
    expect(await bench.vault.rotateKeys('admin')).toEqual({ keyId: 'kek-2', rewrapped: 2 });
    for (const again of [false, true]) {
      if (again) await bench.reopen();
      for (const name of ['one', 'two']) {
        using opened = bench.vault.use(permitFor({ name, version: 1 }), RECEIPT);
        expect(textOf(opened.secret)).toBe(secret);
        expect((await bench.store.current('default', name))?.kekId).toBe('kek-2');
      }
      expect(textOf(bench.vault.openBlob('sink/1', blob))).toBe('fake-webhook-secret');
    }
    expect(bench.events.at(-1)).toMatchObject({ type: 'key.rotated', data: { id: 'kek-2' } });
  });
});
