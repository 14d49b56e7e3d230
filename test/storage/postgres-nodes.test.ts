import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/core/index.ts';
import { openStorage, StorageFault } from '../../src/storage/index.ts';
import { usePostgres } from './each-dialect.ts';
import { agent, approval, credential, oidcRow, revocation, service, winners } from './records.ts';

describe('two nodes on one PostgreSQL', () => {
  const server = usePostgres();

  async function twoNodes() {
    const url = await server().newDatabase();
    const faults: unknown[] = [];
    const options = { kind: 'postgres', url, onFault: (fault: unknown) => faults.push(fault) } as const;
    // At the same moment: one migrates, the other waits for it.
    const [one, other] = await Promise.all([openStorage(options), openStorage(options)]);
    return {
      url,
      one,
      other,
      faults,
      close: () => Promise.all([one.close(), other.close()]),
    };
  }

  test('a revocation made on one reaches the follower of the other', async () => {
    const { one, other, close } = await twoNodes();
    const heard: unknown[] = [];
    await other.revocations.follow(
      (record) => heard.push(record),
      () => {},
    );
    await one.revocations.insert(revocation());
    await expect.poll(() => heard).toEqual([revocation()]);
    await close();
  });

  test('so do changes of credentials and services', async () => {
    const { one, other, close } = await twoNodes();
    const heard: string[] = [];
    await other.credentials.follow(
      ({ name }) => heard.push(`credential ${name}`),
      () => {},
    );
    await other.services.follow(
      () => heard.push('services'),
      () => {},
    );
    await one.credentials.insert(credential());
    await one.services.put(service());
    await expect.poll(() => heard).toEqual(['credential github', 'services']);
    await close();
  });

  test('what is consumed on one is consumed on the other, also at the same moment', async () => {
    const { one, other, close } = await twoNodes();
    const node = (index: number) => (index % 2 ? one : other);
    const proof = { kind: 'dpop', key: 'jti', expiresAt: 10_000 };
    expect(await winners(20, (index) => node(index).replay.insertIfAbsent(proof, 1))).toBe(1);
    await one.oidc.upsert(oidcRow());
    expect(await winners(20, (index) => node(index).oidc.consume('AuthorizationCode', 'code_1', 1))).toBe(1);
    const records = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        node(index).approvals.insertOrGet(approval({ id: `approval_${index}` }), 1_000),
      ),
    );
    expect(new Set(records.map(({ id }) => id)).size).toBe(1);
    const id = records[0]?.id ?? '';
    await one.approvals.decide({ tenant: 'default', id, status: 'approved', by: 'bob', reason: null }, 2_000);
    const use = { tenant: 'default', id, callDigest: 'digest-1' };
    expect(await winners(20, (index) => node(index).approvals.use(use, 3_000))).toBe(1);
    await close();
  });

  test('when the connections are cut, a follower is told to read again and hears what comes after', async () => {
    const { url, one, other, faults, close } = await twoNodes();
    const heard: string[] = [];
    let gaps = 0;
    await other.revocations.follow(
      ({ id }) => heard.push(id),
      () => {
        gaps += 1;
      },
    );
    await server().cutConnections(url);
    await expect.poll(() => gaps, { timeout: 10_000 }).toBe(1);
    // The pool of the first node may hand out one last dead connection.
    await expect
      .poll(() =>
        one.revocations.insert(revocation({ id: 'after' })).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await expect.poll(() => heard).toContain('after');
    expect(faults.length).toBeGreaterThan(0);
    await close();
  });

  test('a query whose connection is cut says that the storage is away, not that we are at fault', async () => {
    const { url, one, close } = await twoNodes();
    const faults: unknown[] = [];
    let ended = false;
    const writer = async (name: number) => {
      for (let at = 0; !ended; at++)
        await one.revocations
          .insert(revocation({ id: `w${name}_${at}` }))
          .catch((cause) => faults.push(cause));
    };
    const writers = Array.from({ length: 8 }, (_, name) => writer(name));
    for (let cut = 0; cut < 40 && faults.length < 5; cut++) await server().cutConnections(url);
    ended = true;
    await Promise.all(writers);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.map((fault) => (fault instanceof Refusal ? fault.code : fault))).toEqual(
      faults.map(() => 'storage_unavailable'),
    );
    await close();
  });

  test('a storage that was closed tells nobody, and takes no follower', async () => {
    const { one, other, close } = await twoNodes();
    await close();
    await expect(
      one.revocations.follow(
        () => {},
        () => {},
      ),
    ).rejects.toThrow(TypeError);
    await expect(other.agents.insert(agent())).rejects.toThrow();
  });
});

describe('a PostgreSQL that can not be used', () => {
  const server = usePostgres();

  test('is named without its password', async () => {
    const url = new URL(await server().newDatabase());
    const password = url.password;
    const attempts = [
      url.href.replace(`:${url.port}`, ':1'),
      url.href.replace('test_', 'missing_'),
      `${url.href}?sslmode=require`,
      url.href.replace('postgres:', 'mysql:'),
      `not a url ${url.href}`,
    ];
    for (const attempt of attempts) {
      const fault = await openStorage({ kind: 'postgres', url: attempt }).catch((cause: unknown) => cause);
      expect(fault).toBeInstanceOf(StorageFault);
      expect(`${fault}`).not.toContain(password);
      expect(`${fault}`).toMatch(/^StorageFault: (postgres:\/\/127\.0\.0\.1:\d+\/|storage\.url)/);
    }
  });
});
