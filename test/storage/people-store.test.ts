import { expect, test } from 'vitest';
import type { PasskeyRecord, UserRecord } from '../../src/people/index.ts';
import { describeEachDialect } from './each-dialect.ts';

const user = (changes: Partial<UserRecord> = {}): UserRecord => ({
  tenant: 'default',
  id: 'user_1',
  name: 'ada',
  displayName: 'Ada “L”, 日本語',
  password: '$argon2id$not-a-real-hash',
  status: 'active',
  createdAt: 1_000,
  updatedAt: 1_000,
  revision: 1,
  ...changes,
});

const passkey = (changes: Partial<PasskeyRecord> = {}): PasskeyRecord => ({
  tenant: 'default',
  id: 'credential-1',
  userId: 'user_1',
  publicKey: 'not-a-real-key',
  counter: 3,
  transports: ['internal', 'hybrid'],
  label: 'laptop',
  createdAt: 1_000,
  usedAt: null,
  ...changes,
});

const session = {
  hash: 'session-1',
  tenant: 'default',
  userId: 'user_1',
  method: 'password',
  signedInAt: 1_000,
  expiresAt: 9_000,
} as const;

const link = {
  tenant: 'default',
  userId: 'user_1',
  hash: 'link-1',
  createdBy: 'admin',
  createdAt: 1_000,
  expiresAt: 9_000,
};

describeEachDialect('people', (database) => {
  test('a user comes back as written, id and name are unique, and a change needs the revision before', async () => {
    const { people } = await database.open();
    expect(await people.insertUser(user())).toBe(true);
    expect(await people.userByName('default', 'ada')).toEqual(user());
    expect(await people.insertUser(user({ id: 'user_2' }))).toBe(false);
    expect(await people.insertUser(user({ name: 'bo' }))).toBe(false);
    expect(await people.insertUser(user({ tenant: 'other' }))).toBe(true);
    const changed = user({ status: 'disabled', revision: 2 });
    expect(await people.updateUser(changed)).toBe(true);
    expect(await people.updateUser(changed)).toBe(false);
    expect(await people.user('default', 'user_1')).toEqual(changed);
    expect(await people.users('default', { after: null, limit: 9 })).toHaveLength(1);
    expect(await people.users('default', { after: 'user_1', limit: 9 })).toHaveLength(0);
  });

  test('of twenty who take a link at once one gets it, a later link ends the one before, and time ends it too', async () => {
    const { people } = await database.open();
    await people.putLink(link);
    await people.putLink({ ...link, hash: 'link-2' });
    expect(await people.linkByHash('link-1')).toBeNull();
    expect(await people.takeLink('link-2', 9_000)).toBe(false);
    const taken = await Promise.all(Array.from({ length: 20 }, () => people.takeLink('link-2', 8_999)));
    expect(taken.filter((one) => one)).toHaveLength(1);
  });

  test('sessions, identities and passkeys go with their user, those of others stay', async () => {
    const { people } = await database.open();
    await people.insertUser(user());
    await people.insertSession(session);
    await people.insertSession({ ...session, hash: 'session-2', userId: 'user_2' });
    await people.insertPasskey(passkey());
    const identity = {
      tenant: 'default',
      issuer: 'https://idp.example',
      subject: 's',
      userId: 'user_1',
      createdAt: 1,
    };
    expect(await people.insertIdentity(identity)).toBe(true);
    expect(await people.insertIdentity({ ...identity, userId: 'user_2' })).toBe(false);
    expect(await people.identity('default', 'https://idp.example', 's')).toEqual(identity);
    expect(await people.deleteUser('default', 'user_1')).toBe(true);
    expect(await people.deleteUser('default', 'user_1')).toBe(false);
    expect(await people.session('session-1')).toBeNull();
    expect(await people.passkey('default', 'credential-1')).toBeNull();
    expect(await people.identity('default', 'https://idp.example', 's')).toBeNull();
    expect((await people.session('session-2'))?.userId).toBe('user_2');
    expect(await people.deleteExpired(9_000)).toBe(1);
  });

  test('the counter of a passkey moves on for exactly one of twenty sign-ins at once', async () => {
    const { people } = await database.open();
    expect(await people.insertPasskey(passkey())).toBe(true);
    expect(await people.insertPasskey(passkey({ userId: 'user_2' }))).toBe(false);
    const used = await Promise.all(
      Array.from({ length: 20 }, () => people.usePasskey(passkey(), { from: 3, to: 4, now: 5_000 })),
    );
    expect(used.filter((one) => one)).toHaveLength(1);
    expect(await people.passkeys('default', 'user_1')).toEqual([passkey({ counter: 4, usedAt: 5_000 })]);
  });

  test('a passkey or an identity changes and goes for its own user alone', async () => {
    const { people } = await database.open();
    await people.insertPasskey(passkey());
    const [own, foreign] = [passkey(), passkey({ userId: 'user_2' })];
    expect(await people.renamePasskey(foreign, 'mine')).toBe(false);
    expect(await people.deletePasskey(foreign)).toBe(false);
    expect(await people.renamePasskey(own, 'phone')).toBe(true);
    expect(await people.passkeys('default', 'user_1')).toEqual([passkey({ label: 'phone' })]);
    expect(await people.deletePasskey(own)).toBe(true);
    expect(await people.deletePasskey(own)).toBe(false);
    const identity = { tenant: 'default', issuer: 'https://idp.example', subject: 's', userId: 'user_1' };
    await people.insertIdentity({ ...identity, createdAt: 1 });
    expect(await people.identities('default', 'user_2')).toEqual([]);
    expect(await people.identities('default', 'user_1')).toEqual([{ ...identity, createdAt: 1 }]);
    expect(await people.deleteIdentity({ ...identity, userId: 'user_2' })).toBe(false);
    expect(await people.deleteIdentity(identity)).toBe(true);
    expect(await people.identity('default', 'https://idp.example', 's')).toBeNull();
  });
});
