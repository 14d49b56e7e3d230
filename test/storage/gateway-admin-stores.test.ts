import { expect, test } from 'vitest';
import type { AdminTokenRecord } from '../../src/admin/store.ts';
import { describeEachDialect } from './each-dialect.ts';
import { service, winners } from './records.ts';

describeEachDialect('services', (database) => {
  test('a service comes back with its origins in order', async () => {
    const { services } = await database.open();
    const npm = service({
      name: 'npm',
      origins: [{ scheme: 'http', host: 'npm.test', port: 4873 }],
      credential: null,
      encodedSlash: 'opaque',
      allowPrivate: true,
      upstreamCa: '-----BEGIN CERTIFICATE-----\nfake\n-----END CERTIFICATE-----\n',
      inspectBody: false,
    });
    expect(await services.put(service())).toBe(true);
    expect(await services.put(npm)).toBe(true);
    expect(await services.get('default', 'github')).toEqual(service());
    expect(await services.list('default')).toEqual([service(), npm]);
    expect(await services.get('other', 'github')).toBeNull();
    expect(await services.list('other')).toEqual([]);
  });

  test('putting again replaces settings and origins', async () => {
    const { services } = await database.open();
    await services.put(service());
    const changed = service({
      credential: null,
      origins: [
        { scheme: 'https', host: 'alt.github.test', port: 8443 },
        { scheme: 'https', host: 'third.github.test', port: 443 },
      ],
    });
    expect(await services.put(changed)).toBe(true);
    expect(await services.all()).toEqual([changed]);
    const [freed] = service().origins;
    expect(await services.put(service({ name: 'next', origins: freed ? [freed] : [] }))).toBe(true);
  });

  test('an origin of another service is refused, and the service stays as it was', async () => {
    const { services } = await database.open();
    await services.put(service());
    const npm = service({ name: 'npm', origins: [{ scheme: 'https', host: 'npm.test', port: 443 }] });
    await services.put(npm);
    const thief = { ...npm, credential: 'github', origins: [...npm.origins, ...service().origins.slice(1)] };
    expect(await services.put(thief)).toBe(false);
    expect(await services.get('default', 'npm')).toEqual(npm);
    expect(await services.put({ ...service(), tenant: 'other' })).toBe(true);
  });

  test('of twenty services that claim one origin at once, exactly one gets it', async () => {
    const { services } = await database.open();
    const origins = [{ scheme: 'https', host: 'one.test', port: 443 } as const];
    expect(await winners(20, (index) => services.put(service({ name: `s${index}`, origins })))).toBe(1);
    expect(await services.all()).toHaveLength(1);
  });

  test('a service without origins is a mistake', async () => {
    const { services } = await database.open();
    await expect(services.put(service({ origins: [] }))).rejects.toThrow(TypeError);
  });

  test('a deleted service gives its origins free', async () => {
    const { services } = await database.open();
    await services.put(service());
    expect(await services.delete('other', 'github')).toBe(false);
    expect(await services.delete('default', 'github')).toBe(true);
    expect(await services.delete('default', 'github')).toBe(false);
    expect(await services.put(service({ name: 'again' }))).toBe(true);
  });

  test('a follower hears of each change, and of no refused one', async () => {
    const { services } = await database.open();
    let heard = 0;
    const following = await services.follow(
      () => {
        heard += 1;
      },
      () => {},
    );
    await services.put(service());
    await services.put(service({ name: 'thief' }));
    await services.delete('default', 'unknown');
    await services.delete('default', 'github');
    await expect.poll(() => heard).toBe(2);
    await following.stop();
  });
});

describeEachDialect('admin tokens', (database) => {
  const token: AdminTokenRecord = {
    tenant: 'default',
    id: 'token_1',
    name: 'first',
    role: 'admin',
    hash: 'cd'.repeat(32),
    createdAt: 1_000,
    expiresAt: null,
  };

  test('a token is found by its hash alone', async () => {
    const { adminTokens } = await database.open();
    expect(await adminTokens.count()).toBe(0);
    expect(await adminTokens.insert(token)).toBe(true);
    expect(await adminTokens.byHash(token.hash)).toEqual(token);
    expect(await adminTokens.byHash('')).toBeNull();
    expect(await adminTokens.list('default')).toEqual([token]);
    expect(await adminTokens.list('other')).toEqual([]);
    expect(await adminTokens.count()).toBe(1);
  });

  test('id, name and hash are taken once', async () => {
    const { adminTokens } = await database.open();
    await adminTokens.insert(token);
    expect(await adminTokens.insert({ ...token, name: 'b', hash: 'x' })).toBe(false);
    expect(await adminTokens.insert({ ...token, id: 'b', hash: 'x' })).toBe(false);
    expect(await adminTokens.insert({ ...token, id: 'b', name: 'b' })).toBe(false);
    expect(await adminTokens.insert({ ...token, id: 'b', name: 'b', hash: 'x', expiresAt: 9 })).toBe(true);
  });

  test('deletion reaches the named one alone', async () => {
    const { adminTokens } = await database.open();
    await adminTokens.insert(token);
    expect(await adminTokens.delete('other', 'token_1')).toBe(false);
    expect(await adminTokens.delete('default', 'token_1')).toBe(true);
    expect(await adminTokens.byHash(token.hash)).toBeNull();
  });
});
