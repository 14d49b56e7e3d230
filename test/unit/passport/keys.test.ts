import { chmod, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { KeyFileError } from '../../../src/files/index.ts';
import { Pepper } from '../../../src/passport/pepper.ts';
import { SigningKeys } from '../../../src/passport/signing-keys.ts';
import { type Bench, GATE, openBench, TestAgent } from './support.ts';

const HOUR_MS = 3_600_000;

describe('rotation of the signing keys', () => {
  let bench: Bench;
  let agent: TestAgent;
  beforeAll(async () => {
    bench = await openBench();
    agent = await TestAgent.register(bench);
  });
  afterAll(() => bench.close());

  const verify = async (token: string) => bench.room.verifier.verify(await agent.present(token), Date.now());
  const served = async (): Promise<{ kid: string }[]> =>
    (await (await fetch(`${bench.issuer}/jwks`)).json()).keys;
  const kidOf = (token: string) => decodeProtectedHeader(token).kid;

  test('the next key is published before it signs, and takes over while agents sign in', async () => {
    const before = await agent.passport();
    const [, next] = await served();
    expect(kidOf(before)).not.toBe(next?.kid);
    // A verifier elsewhere that took its copy of the key set before the rotation.
    const elsewhere = createRemoteJWKSet(new URL(`${bench.issuer}/jwks`), { cooldownDuration: 1e9 });
    await jwtVerify(before, elsewhere, { audience: GATE });

    const signingIn = Array.from({ length: 10 }, () => agent.request());
    const { kid, retired } = await bench.room.keys.rotate('admin');
    const answers = await Promise.all(signingIn);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));

    expect([kid, retired]).toEqual([next?.kid, kidOf(before)]);
    const after = await agent.passport();
    expect(kidOf(after)).toBe(kid);
    await jwtVerify(after, elsewhere, { audience: GATE });
    for (const token of [before, after, ...answers.map(({ body }) => String(body.access_token))]) {
      expect((await verify(token)).subject.agentId).toBe(agent.id);
    }
    expect((await served()).map((key) => key.kid)).toEqual(expect.arrayContaining([kid, retired]));
    expect(bench.eventsOf('key.rotated').at(-1)?.data).toMatchObject({ id: kid, by: 'admin' });
  });

  test('introspection and revocation go on with passports of the retired key', async () => {
    const token = await agent.passport();
    await bench.room.keys.rotate('admin');
    expect((await agent.ask('/introspect', { token })).body.active).toBe(true);
    await agent.ask('/revoke', { token });
    await expect(verify(token)).rejects.toMatchObject({ code: 'passport_revoked' });
  });

  test('the key set never shows a private part', async () => {
    for (const key of await served()) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    }
  });

  test('a restart finds the same keys', async () => {
    const before = await served();
    await bench.restart();
    expect(await served()).toEqual(before);
  });
});

describe('key files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-keys-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const clock = { now: () => Date.now() };
  const signing = () => join(folder, 'passport-signing.json');
  const pepper = () => join(folder, 'passport-pepper.key');

  test('are made at first start, for their owner alone, and found again', async () => {
    const keys = await SigningKeys.open(folder, clock);
    await Pepper.open(folder);
    for (const file of [signing(), pepper()]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await SigningKeys.open(folder, clock)).published()).toEqual(keys.published());
  });

  test('a retired key stays until everything that it signed has expired, and is gone then', async () => {
    let now = Date.now();
    const keys = await SigningKeys.open(folder, { now: () => now });
    const { retired } = await keys.rotate();
    now += HOUR_MS;
    await keys.rotate();
    expect(keys.find(retired)).not.toBeNull();
    now += 61_000;
    await keys.rotate();
    expect(keys.find(retired)).toBeNull();
  });

  test('two rotations at once leave one current and one next key', async () => {
    const keys = await SigningKeys.open(folder, clock);
    await Promise.all([keys.rotate(), keys.rotate()]);
    const { keys: stored } = JSON.parse(await readFile(signing(), 'utf8'));
    const statuses = stored.map(({ status }: { status: string }) => status).sort();
    expect(statuses).toEqual(['current', 'next', 'retired', 'retired']);
  });

  test('what another process rotated is taken up', async () => {
    const [one, other] = [await SigningKeys.open(folder, clock), await SigningKeys.open(folder, clock)];
    const { kid } = await other.rotate();
    expect(await one.reload()).toBe(true);
    expect(one.current.kid).toBe(kid);
    expect(await one.reload()).toBe(false);
  });

  test.each([1, 40, 400])(
    'a signing key file cut off after %i bytes is an error that names it',
    async (size) => {
      await SigningKeys.open(folder, clock);
      await truncate(signing(), size);
      await expect(SigningKeys.open(folder, clock)).rejects.toThrow(KeyFileError);
      await expect(SigningKeys.open(folder, clock)).rejects.toThrow(signing());
    },
  );

  test('a key whose text was changed is an error that names the file', async () => {
    await SigningKeys.open(folder, clock);
    const file = JSON.parse(await readFile(signing(), 'utf8'));
    [file.keys[0].jwk, file.keys[1].jwk] = [file.keys[1].jwk, file.keys[0].jwk];
    await writeFile(signing(), JSON.stringify(file));
    await expect(SigningKeys.open(folder, clock)).rejects.toThrow(signing());
  });

  test('a pepper that is cut off is an error that names the file', async () => {
    await Pepper.open(folder);
    await truncate(pepper(), 12);
    await expect(Pepper.open(folder)).rejects.toThrow(pepper());
  });

  test('a file that others may read, and a link, are refused', async () => {
    await Pepper.open(folder);
    await chmod(pepper(), 0o644);
    await expect(Pepper.open(folder)).rejects.toThrow('chmod 600');
    await rm(pepper());
    await symlink('/dev/zero', pepper());
    await expect(Pepper.open(folder)).rejects.toThrow(KeyFileError);
  });
});
