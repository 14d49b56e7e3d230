import { expect, test } from 'vitest';
import type { RevocationRecord } from '../../src/passport/store.ts';
import { describeEachDialect } from './each-dialect.ts';
import { agent, oidcRow, passport, revocation, winners } from './records.ts';

describeEachDialect('agents', (database) => {
  test('an agent comes back as it was written', async () => {
    const { agents } = await database.open();
    expect(await agents.insert(agent())).toBe(true);
    expect(await agents.get('default', 'agent_1')).toEqual(agent());
    expect(await agents.byName('default', 'builder')).toEqual(agent());
  });

  test('an id or a name that is taken is refused, and nothing changes', async () => {
    const { agents } = await database.open();
    await agents.insert(agent());
    expect(await agents.insert(agent({ name: 'other' }))).toBe(false);
    expect(await agents.insert(agent({ id: 'agent_2' }))).toBe(false);
    expect(await agents.list('default', { after: null, limit: 10 })).toEqual([agent()]);
  });

  test('another tenant sees nothing of it and may use the same names', async () => {
    const { agents } = await database.open();
    await agents.insert(agent());
    expect(await agents.get('other', 'agent_1')).toBeNull();
    expect(await agents.byName('other', 'builder')).toBeNull();
    expect(await agents.insert(agent({ tenant: 'other' }))).toBe(true);
    expect(await agents.list('other', { after: null, limit: 10 })).toHaveLength(1);
  });

  test('of twenty changes made at once from one revision, exactly one is written', async () => {
    const { agents } = await database.open();
    await agents.insert(agent());
    const won = await winners(20, (index) => agents.update(agent({ revision: 2, owner: `team-${index}` })));
    expect(won).toBe(1);
    expect((await agents.get('default', 'agent_1'))?.revision).toBe(2);
  });

  test('a change of an agent that does not exist is refused', async () => {
    const { agents } = await database.open();
    expect(await agents.update(agent({ revision: 2 }))).toBe(false);
  });

  test('a deleted agent keeps its id, gives its name free, and is not listed', async () => {
    const { agents } = await database.open();
    await agents.insert(agent());
    await agents.update(agent({ status: 'deleted', revision: 2 }));
    expect(await agents.byName('default', 'builder')).toBeNull();
    expect(await agents.list('default', { after: null, limit: 10 })).toEqual([]);
    expect((await agents.get('default', 'agent_1'))?.status).toBe('deleted');
    expect(await agents.insert(agent({ name: 'new' }))).toBe(false);
    expect(await agents.insert(agent({ id: 'agent_2' }))).toBe(true);
  });

  test('pages follow one another without gap or overlap', async () => {
    const { agents } = await database.open();
    const ids = ['agent_A', 'agent_a', 'agent_b', 'agent_é', 'agent_z'].toSorted();
    for (const id of ids) await agents.insert(agent({ id, name: id }));
    const first = await agents.list('default', { after: null, limit: 2 });
    const second = await agents.list('default', { after: first.at(-1)?.id ?? null, limit: 2 });
    const third = await agents.list('default', { after: second.at(-1)?.id ?? null, limit: 2 });
    expect([...first, ...second, ...third].map(({ id }) => id)).toEqual(ids);
  });
});

describeEachDialect('passports', (database) => {
  test('a passport comes back as it was written, and from no other tenant', async () => {
    const { passports } = await database.open();
    await passports.insert(passport());
    expect(await passports.get('default', 'jti_1')).toEqual(passport());
    expect(await passports.get('other', 'jti_1')).toBeNull();
  });

  test('the list begins with the newest and pages back, by agent and by life', async () => {
    const { passports } = await database.open();
    for (const [index, agentId] of ['a', 'b', 'a', 'a'].entries()) {
      const issuedAt = index === 3 ? 1_002 : 1_000 + index;
      await passports.insert(passport({ jti: `jti_${index}`, agentId, issuedAt, expiresAt: issuedAt + 100 }));
    }
    const jtis = async (filter: Parameters<typeof passports.list>[1]) =>
      (await passports.list('default', filter)).map(({ jti }) => jti);
    expect(await jtis({ after: null, limit: 3 })).toEqual(['jti_3', 'jti_2', 'jti_1']);
    expect(await jtis({ after: 'jti_3', limit: 2 })).toEqual(['jti_2', 'jti_1']);
    expect(await jtis({ after: 'jti_1', limit: 5 })).toEqual(['jti_0']);
    expect(await jtis({ agentId: 'a', after: 'jti_3', limit: 5 })).toEqual(['jti_2', 'jti_0']);
    expect(await jtis({ liveAt: 1_101, after: null, limit: 5 })).toEqual(['jti_3', 'jti_2']);
    expect(await jtis({ after: 'unknown', limit: 5 })).toEqual([]);
  });

  test('expired ones are forgotten, live ones are kept', async () => {
    const { passports } = await database.open();
    await passports.insert(passport({ jti: 'old', expiresAt: 5_000 }));
    await passports.insert(passport({ jti: 'new', expiresAt: 5_001 }));
    expect(await passports.deleteExpired(5_000)).toBe(1);
    expect(await passports.get('default', 'old')).toBeNull();
    expect(await passports.get('default', 'new')).not.toBeNull();
  });
});

describeEachDialect('counted calls', (database) => {
  const call = (changes: object = {}) => ({
    tenant: 'default',
    hop: 'hop_1',
    detail: 0,
    limit: 5,
    expiresAt: 9_000,
    ...changes,
  });

  test('of twenty at once against a limit of five, exactly five are counted', async () => {
    const { callCounts } = await database.open();
    expect(await winners(20, () => callCounts.take(call()))).toBe(5);
    expect(await callCounts.used('default', 'hop_1', 0)).toBe(5);
    expect(await callCounts.take(call())).toBe(false);
    expect(await callCounts.take(call({ limit: 0, hop: 'hop_2' }))).toBe(false);
  });

  test('each tenant, hop and detail has a count of its own', async () => {
    const { callCounts } = await database.open();
    expect(await callCounts.take(call({ limit: 1 }))).toBe(true);
    for (const other of [{ tenant: 'other' }, { hop: 'hop_2' }, { detail: 1 }]) {
      expect(await callCounts.take(call({ limit: 1, ...other }))).toBe(true);
    }
    expect(await callCounts.take(call({ limit: 1 }))).toBe(false);
  });

  test('what is counted in a transaction that fails is not counted', async () => {
    const { callCounts, unitOfWork } = await database.open();
    const failing = unitOfWork.run(async (stores) => {
      await stores.callCounts.take(call());
      throw new Error('something else failed');
    });
    await expect(failing).rejects.toThrow('something else failed');
    expect(await callCounts.used('default', 'hop_1', 0)).toBe(0);
  });

  test('counts are forgotten when nothing can refer to them', async () => {
    const { callCounts } = await database.open();
    await callCounts.take(call());
    expect(await callCounts.deleteExpired(8_999)).toBe(0);
    expect(await callCounts.deleteExpired(9_000)).toBe(1);
  });
});

describeEachDialect('entries of status lists', (database) => {
  const entry = (changes: object = {}) => ({
    tenant: 'default',
    entry: 7,
    jti: 'jti_1',
    freeAt: 9_000,
    ...changes,
  });

  test('of twenty that take an entry at once, exactly one gets it, until it is free again', async () => {
    const { statusEntries } = await database.open();
    expect(await winners(20, (index) => statusEntries.take(entry({ jti: `jti_${index}` }), 1_000))).toBe(1);
    expect(await statusEntries.take(entry({ jti: 'jti_late' }), 8_999)).toBe(false);
    expect(await statusEntries.take(entry({ jti: 'jti_late' }), 9_000)).toBe(true);
    expect(await statusEntries.take(entry({ tenant: 'other' }), 1_000)).toBe(true);
  });

  test('lists hold the live passports with an entry in their range alone', async () => {
    const { passports } = await database.open();
    const rows = [
      { jti: 'a', statusIndex: 5 },
      { jti: 'b', statusIndex: 9 },
      { jti: 'c', statusIndex: null },
      { jti: 'd', statusIndex: 6, expiresAt: 500 },
      { jti: 'e', statusIndex: 7, tenant: 'other' },
    ];
    for (const row of rows) await passports.insert(passport(row));
    const found = await passports.withStatus('default', { from: 5, to: 9, liveAt: 500 });
    expect(found.map(({ jti }) => jti)).toEqual(['a']);
  });
});

describeEachDialect('revocations', (database) => {
  test('said twice, the later moment counts and the entry is kept as long as either asked for', async () => {
    const { revocations } = await database.open();
    await revocations.insert(revocation());
    await revocations.insert(revocation({ id: 'revocation_2', revokedAt: 1_000, expiresAt: 900_000 }));
    expect(await revocations.all(0)).toEqual([revocation({ expiresAt: 900_000 })]);
    await revocations.insert(revocation({ id: 'revocation_3', revokedAt: 3_000, expiresAt: 5 }));
    expect(await revocations.all(0)).toEqual([
      revocation({ id: 'revocation_3', revokedAt: 3_000, expiresAt: 900_000 }),
    ]);
    await revocations.insert(revocation({ id: 'revocation_4', revokedAt: 3_001, expiresAt: null }));
    expect((await revocations.all(0))[0]?.expiresAt).toBeNull();
  });

  test('all live ones of every tenant are read, expired ones are not, and those for ever stay', async () => {
    const { revocations } = await database.open();
    await revocations.insert(revocation({ id: 'r1', value: 'a', expiresAt: 5_000 }));
    await revocations.insert(revocation({ id: 'r2', value: 'b', tenant: 'other', expiresAt: 5_001 }));
    await revocations.insert(revocation({ id: 'r3', value: 'c', kind: 'agent', expiresAt: null }));
    expect((await revocations.all(5_000)).map(({ id }) => id).toSorted()).toEqual(['r2', 'r3']);
    expect(await revocations.deleteExpired(1e12)).toBe(2);
    expect((await revocations.all(0)).map(({ id }) => id)).toEqual(['r3']);
  });

  test('the list of a tenant pages by id', async () => {
    const { revocations } = await database.open();
    for (const id of ['r1', 'r2', 'r3']) await revocations.insert(revocation({ id, value: id }));
    await revocations.insert(revocation({ id: 'r0', tenant: 'other' }));
    const ids = async (after: string | null) =>
      (await revocations.list('default', { after, limit: 2 })).map(({ id }) => id);
    expect(await ids(null)).toEqual(['r1', 'r2']);
    expect(await ids('r2')).toEqual(['r3']);
  });

  test('a follower hears of each one, and of none after it stopped', async () => {
    const { revocations } = await database.open();
    const heard: RevocationRecord[] = [];
    const following = await revocations.follow(
      (record) => heard.push(record),
      () => {},
    );
    await revocations.insert(revocation());
    await expect.poll(() => heard).toEqual([revocation()]);
    await following.stop();
    await revocations.insert(revocation({ id: 'r2', value: 'jti_2' }));
    const later: RevocationRecord[] = [];
    const again = await revocations.follow(
      (record) => later.push(record),
      () => {},
    );
    await revocations.insert(revocation({ id: 'r3', value: 'jti_3' }));
    await expect.poll(() => later.at(-1)?.id).toBe('r3');
    expect(heard).toHaveLength(1);
    await again.stop();
  });

  test('a follower that throws does not keep the news from the next one, nor fail the insert', async () => {
    const faults: unknown[] = [];
    const { openStorage } = await import('../../src/storage/index.ts');
    const storage = await openStorage({
      ...(await database.place()),
      onFault: (fault) => faults.push(fault),
    });
    const heard: string[] = [];
    await storage.revocations.follow(
      () => {
        throw new Error('this follower is broken');
      },
      () => {},
    );
    await storage.revocations.follow(
      ({ id }) => heard.push(id),
      () => {},
    );
    await storage.revocations.insert(revocation({ reason: 'x'.repeat(20_000) }));
    await expect.poll(() => heard).toEqual(['revocation_1']);
    expect(String(faults[0])).toContain('this follower is broken');
    expect((await storage.revocations.all(0))[0]?.reason).toHaveLength(20_000);
    await storage.close();
  });
});

describeEachDialect('rows of the OpenID provider', (database) => {
  test('a row comes back by id, uid and user code, until it expires', async () => {
    const { oidc } = await database.open();
    const row = oidcRow({ uid: 'uid_1', userCode: 'ABCD' });
    await oidc.upsert(row);
    expect(await oidc.find(row.model, row.id, 9_999)).toEqual(row);
    expect(await oidc.findByUid(row.model, 'uid_1', 9_999)).toEqual(row);
    expect(await oidc.findByUserCode(row.model, 'ABCD', 9_999)).toEqual(row);
    expect(await oidc.find(row.model, row.id, 10_000)).toBeNull();
    expect(await oidc.findByUid(row.model, 'uid_1', 10_000)).toBeNull();
    expect(await oidc.findByUserCode(row.model, 'ABCD', 10_000)).toBeNull();
    expect(await oidc.find('Session', row.id, 1)).toBeNull();
  });

  test('of twenty that consume a code at once, exactly one succeeds', async () => {
    const { oidc } = await database.open();
    await oidc.upsert(oidcRow());
    expect(await winners(20, () => oidc.consume('AuthorizationCode', 'code_1', 5_000))).toBe(1);
    expect((await oidc.find('AuthorizationCode', 'code_1', 5_000))?.consumedAt).toBe(5_000);
  });

  test('an expired or unknown code can not be consumed', async () => {
    const { oidc } = await database.open();
    await oidc.upsert(oidcRow());
    expect(await oidc.consume('AuthorizationCode', 'code_1', 10_000)).toBe(false);
    expect(await oidc.consume('AuthorizationCode', 'code_2', 1)).toBe(false);
  });

  test('saving a used code again does not make it usable', async () => {
    const { oidc } = await database.open();
    await oidc.upsert(oidcRow());
    await oidc.consume('AuthorizationCode', 'code_1', 5_000);
    await oidc.upsert(oidcRow({ payload: { changed: true } }));
    expect(await oidc.consume('AuthorizationCode', 'code_1', 5_001)).toBe(false);
    expect((await oidc.find('AuthorizationCode', 'code_1', 1))?.payload).toEqual({ changed: true });
  });

  test('of twenty that insert the same id at once, exactly one succeeds; an expired row makes room', async () => {
    const { oidc } = await database.open();
    const row = oidcRow({ model: 'ReplayDetection' });
    expect(await winners(20, () => oidc.insertIfAbsent(row, 1))).toBe(1);
    expect(await oidc.insertIfAbsent(row, 9_999)).toBe(false);
    expect(await winners(20, () => oidc.insertIfAbsent({ ...row, expiresAt: 90_000 }, 10_000))).toBe(1);
    const forEver = oidcRow({ id: 'for-ever', expiresAt: null });
    expect(await oidc.insertIfAbsent(forEver, 1)).toBe(true);
    expect(await oidc.insertIfAbsent(forEver, 1e12)).toBe(false);
  });

  test('a grant is revoked with all of its rows, and with no others', async () => {
    const { oidc } = await database.open();
    await oidc.upsert(oidcRow());
    await oidc.upsert(oidcRow({ id: 'code_2' }));
    await oidc.upsert(oidcRow({ id: 'code_3', grantId: 'grant_2' }));
    await oidc.revokeByGrantId('AuthorizationCode', 'grant_1');
    expect(await oidc.find('AuthorizationCode', 'code_2', 1)).toBeNull();
    expect(await oidc.find('AuthorizationCode', 'code_3', 1)).not.toBeNull();
    await oidc.destroy('AuthorizationCode', 'code_3');
    expect(await oidc.find('AuthorizationCode', 'code_3', 1)).toBeNull();
  });

  test('deleteExpired leaves what does not expire', async () => {
    const { oidc } = await database.open();
    await oidc.upsert(oidcRow());
    await oidc.upsert(oidcRow({ id: 'for-ever', expiresAt: null }));
    expect(await oidc.deleteExpired(10_000)).toBe(1);
    expect(await oidc.find('AuthorizationCode', 'for-ever', 1)).not.toBeNull();
  });
});

describeEachDialect('replays', (database) => {
  const proof = { kind: 'dpop', key: 'jkt.jti', expiresAt: 10_000 };

  test('of twenty that show the same proof at once, exactly one is let through', async () => {
    const { replay } = await database.open();
    expect(await winners(20, () => replay.insertIfAbsent(proof, 1))).toBe(1);
  });

  test('a proof is refused until it expires, then its place is free for exactly one', async () => {
    const { replay } = await database.open();
    await replay.insertIfAbsent(proof, 1);
    expect(await replay.insertIfAbsent(proof, 9_999)).toBe(false);
    expect(await winners(20, () => replay.insertIfAbsent({ ...proof, expiresAt: 20_000 }, 10_000))).toBe(1);
    expect(await replay.insertIfAbsent(proof, 10_001)).toBe(false);
  });

  test('kinds do not share keys', async () => {
    const { replay } = await database.open();
    expect(await replay.insertIfAbsent(proof, 1)).toBe(true);
    expect(await replay.insertIfAbsent({ ...proof, kind: 'assertion' }, 1)).toBe(true);
  });

  test('deleteExpired forgets expired ones alone', async () => {
    const { replay } = await database.open();
    await replay.insertIfAbsent(proof, 1);
    await replay.insertIfAbsent({ ...proof, key: 'later', expiresAt: 10_001 }, 1);
    expect(await replay.deleteExpired(10_000)).toBe(1);
    expect(await replay.insertIfAbsent({ ...proof, key: 'later' }, 9_000)).toBe(false);
  });
});
