import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadCheckpointPublicKey, loadOrCreateCheckpointKey } from '../../../src/audit/index.ts';
import { temporaryFolder } from './support.ts';

const NAME = 'audit-checkpoint.key';

test('the key is made once, for its owner alone, with its public half beside it', async () => {
  const folder = join(temporaryFolder(), 'keys');
  const [one, other] = await Promise.all([
    loadOrCreateCheckpointKey(folder),
    loadOrCreateCheckpointKey(folder),
  ]);
  const again = await loadOrCreateCheckpointKey(folder);
  expect(one.equals(other) && one.equals(again)).toBe(true);
  expect(statSync(join(folder, NAME)).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual([NAME, 'audit-checkpoint.pub']);
  expect((await loadCheckpointPublicKey(folder))?.export({ format: 'jwk' }).x).toBe(
    one.export({ format: 'jwk' }).x,
  );
});

test('a half-written key is an error that names the file, at whatever byte it ends, and is not replaced', async () => {
  const folder = temporaryFolder();
  await loadOrCreateCheckpointKey(folder);
  const file = join(folder, NAME);
  const whole = readFileSync(file).length;
  // The last newline is no part of the key.
  for (let length = whole - 2; length >= 0; length -= 9) {
    truncateSync(file, length);
    await expect(loadOrCreateCheckpointKey(folder)).rejects.toThrow(`${file} is unfinished or damaged`);
    expect(statSync(file).size).toBe(length);
  }
});

test('a key that others may read, or of another kind, is refused', async () => {
  const folder = temporaryFolder();
  await loadOrCreateCheckpointKey(folder);
  chmodSync(join(folder, NAME), 0o644);
  await expect(loadOrCreateCheckpointKey(folder)).rejects.toThrow(
    /can be read or changed by others.*chmod 600/,
  );

  const other = join(temporaryFolder(), 'keys');
  mkdirSync(other);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(join(other, NAME), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await expect(loadOrCreateCheckpointKey(other)).rejects.toThrow(/not an Ed25519 private key/);
});

test('there is no public key where none was made, and a damaged one is named', async () => {
  const folder = temporaryFolder();
  expect(await loadCheckpointPublicKey(folder)).toBeNull();
  writeFileSync(join(folder, 'audit-checkpoint.pub'), '-----BEGIN');
  await expect(loadCheckpointPublicKey(folder)).rejects.toThrow(
    /audit-checkpoint\.pub: this is not a public key/,
  );
});
