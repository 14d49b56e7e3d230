import { expect, test } from 'vitest';
import { describeEachDialect } from './each-dialect.ts';
import { credential, winners } from './records.ts';

const EMPTY = new Uint8Array();

describeEachDialect('credentials', (database) => {
  test('a credential comes back byte for byte', async () => {
    const { credentials } = await database.open();
    expect(await credentials.insert(credential())).toBe(true);
    expect(await credentials.current('default', 'github')).toEqual(credential());
    expect(await credentials.allCurrent()).toEqual([credential()]);
    expect(await credentials.current('other', 'github')).toBeNull();
    expect(await credentials.current('default', 'unknown')).toBeNull();
  });

  test('of twenty that put the same name at once, exactly one succeeds', async () => {
    const { credentials } = await database.open();
    const won = await winners(20, (index) => credentials.insert(credential({ id: `credential_${index}` })));
    expect(won).toBe(1);
    expect(await credentials.allCurrent()).toHaveLength(1);
  });

  test('of twenty rotations from one version, exactly one succeeds, and the old secret is gone', async () => {
    const { credentials } = await database.open();
    await credentials.insert(credential());
    const won = await winners(20, (index) =>
      credentials.rotate(credential({ version: 2, sealed: Uint8Array.from([index]) })),
    );
    expect(won).toBe(1);
    expect((await credentials.current('default', 'github'))?.version).toBe(2);
    expect(await credentials.rotate(credential({ version: 2 }))).toBe(false);
    expect(await credentials.rotate(credential({ version: 4 }))).toBe(false);
    expect(await credentials.rotate(credential({ name: 'unknown', version: 2 }))).toBe(false);
  });

  test('revoking empties every version, once; the name may then be put again', async () => {
    const { credentials } = await database.open();
    await credentials.insert(credential());
    await credentials.rotate(credential({ version: 2, createdAt: 2_000 }));
    expect(await winners(20, () => credentials.revoke('default', 'github', 3_000))).toBe(1);
    expect(await credentials.current('default', 'github')).toEqual(
      credential({
        version: 2,
        createdAt: 2_000,
        status: 'revoked',
        revokedAt: 3_000,
        wrappedKey: EMPTY,
        sealed: EMPTY,
      }),
    );
    expect(await credentials.rotate(credential({ version: 3 }))).toBe(false);
    expect(await credentials.revoke('default', 'unknown', 3_000)).toBe(false);
    expect(await credentials.insert(credential({ id: 'credential_2', createdAt: 4_000 }))).toBe(true);
    expect((await credentials.current('default', 'github'))?.id).toBe('credential_2');
    expect(await credentials.revoke('default', 'github', 5_000)).toBe(true);
  });

  test('the list shows one entry a name and pages by name', async () => {
    const { credentials } = await database.open();
    for (const name of ['a', 'b', 'c']) {
      await credentials.insert(credential({ name, id: `credential_${name}` }));
    }
    await credentials.rotate(credential({ name: 'b', id: 'credential_b', version: 2 }));
    await credentials.revoke('default', 'a', 9);
    const page = async (after: string | null) =>
      (await credentials.list('default', { after, limit: 2 })).map(({ name, version, status }) =>
        [name, version, status].join(' '),
      );
    expect(await page(null)).toEqual(['a 1 revoked', 'b 2 active']);
    expect(await page('b')).toEqual(['c 1 active']);
  });

  test('deleting forgets all versions', async () => {
    const { credentials } = await database.open();
    await credentials.insert(credential());
    await credentials.rotate(credential({ version: 2 }));
    expect(await credentials.delete('other', 'github')).toBe(false);
    expect(await credentials.delete('default', 'github')).toBe(true);
    expect(await credentials.delete('default', 'github')).toBe(false);
    expect(await credentials.allCurrent()).toEqual([]);
  });

  test('a key is wrapped anew only where nobody changed it meanwhile', async () => {
    const { credentials } = await database.open();
    await credentials.insert(credential());
    const rewrapped = credential({ kekId: 'kek_2', wrappedKey: Uint8Array.from([7]) });
    expect(await credentials.rewrap(rewrapped, 'kek_0')).toBe(false);
    expect(await winners(20, () => credentials.rewrap(rewrapped, 'kek_1'))).toBe(1);
    expect(await credentials.current('default', 'github')).toEqual(rewrapped);
    await credentials.revoke('default', 'github', 5);
    expect(await credentials.rewrap({ ...rewrapped, kekId: 'kek_3' }, 'kek_2')).toBe(false);
  });

  test('a follower hears of each change, and of no refused one', async () => {
    const { credentials } = await database.open();
    const heard: string[] = [];
    const following = await credentials.follow(
      ({ tenant, name }) => heard.push(`${tenant}/${name}`),
      () => {},
    );
    await credentials.insert(credential());
    await credentials.insert(credential({ id: 'credential_2' }));
    await credentials.rotate(credential({ version: 2 }));
    await credentials.revoke('default', 'github', 3);
    await credentials.revoke('default', 'github', 3);
    await credentials.delete('default', 'github');
    await expect.poll(() => heard).toEqual(Array(4).fill('default/github'));
    await following.stop();
  });
});
