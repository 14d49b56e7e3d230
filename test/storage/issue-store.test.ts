import { expect, test } from 'vitest';
import { describeEachDialect } from './each-dialect.ts';
import { agent, issue, onceRow, passport } from './records.ts';

describeEachDialect('issued passports', (database) => {
  const open = async () => {
    const storage = await database.open();
    await storage.agents.insert(agent());
    return storage;
  };

  test('a passport is recorded with its entry, and what it took is used up', async () => {
    const storage = await open();
    expect(await storage.issues.write(issue(), 1_000)).toEqual({ kind: 'issued', statusIndex: 11 });
    expect(await storage.passports.get('default', 'jti_1')).toEqual(passport({ statusIndex: 11 }));
    for (const id of ['assertion of jti_1', 'proof of jti_1']) {
      expect(await storage.oidc.find('ReplayDetection', id, 1_001)).toEqual(onceRow(id));
    }
    const entry = { tenant: 'default', entry: 11, jti: 'other', freeAt: 9e9 };
    expect(await storage.statusEntries.take(entry, 399_999)).toBe(false);
    expect(await storage.statusEntries.take(entry, 400_000)).toBe(true);
  });

  test('of twenty at once with one proof exactly one is issued, and the others leave nothing', async () => {
    const storage = await open();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        storage.issues.write(
          issue({
            jti: `jti_${index}`,
            once: [onceRow(`assertion ${index}`), onceRow('the proof')],
            statusEntries: [100 + index],
          }),
          1_000,
        ),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === 'issued')).toHaveLength(1);
    expect(outcomes.filter((one) => one.kind === 'used' && one.at === 1)).toHaveLength(19);
    expect(await storage.passports.list('default', { after: null, limit: 50 })).toHaveLength(1);
    const left = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        storage.oidc.find('ReplayDetection', `assertion ${index}`, 1_001),
      ),
    );
    expect(left.filter((row) => row !== null)).toHaveLength(1);
  });

  test('many at once each get an entry of their own', async () => {
    const storage = await open();
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        storage.issues.write(
          issue({ jti: `jti_${index}`, statusEntries: Array.from({ length: 30 }, (_, n) => n) }),
          1_000,
        ),
      ),
    );
    const entries = outcomes.map((one) => (one.kind === 'issued' ? one.statusIndex : null));
    expect(new Set(entries)).toEqual(new Set(Array.from({ length: 30 }, (_, n) => n)));
  });

  test('one thing that is shown in two places is used twice', async () => {
    const storage = await open();
    const outcome = await storage.issues.write(issue({ once: [onceRow('same'), onceRow('same')] }), 1_000);
    expect(outcome).toEqual({ kind: 'used', at: 1 });
    expect(await storage.oidc.find('ReplayDetection', 'same', 1_001)).toBeNull();
    expect(await storage.passports.get('default', 'jti_1')).toBeNull();
  });

  test('what was used may be used again once it has expired', async () => {
    const storage = await open();
    const once = [onceRow('again', 2_000)];
    expect(await storage.issues.write(issue({ once }), 1_000)).toMatchObject({ kind: 'issued' });
    expect(await storage.issues.write(issue({ jti: 'jti_2', once }), 1_999)).toEqual({ kind: 'used', at: 0 });
    expect(await storage.issues.write(issue({ jti: 'jti_2', once }), 2_000)).toMatchObject({
      kind: 'issued',
    });
  });

  test('nothing is issued to an agent that was changed, put aside or is unknown', async () => {
    const storage = await open();
    const changed = { kind: 'agent-changed' };
    expect(await storage.issues.write(issue({ agentRevision: 0 }), 1_000)).toEqual(changed);
    const stranger = passport({ agentId: 'agent_9', statusIndex: null });
    expect(await storage.issues.write(issue({ passport: stranger }), 1_000)).toEqual(changed);
    await storage.agents.update(agent({ status: 'quarantined', revision: 2 }));
    expect(await storage.issues.write(issue({ agentRevision: 2 }), 1_000)).toEqual(changed);
    expect(await storage.passports.list('default', { after: null, limit: 5 })).toEqual([]);
    expect(await storage.oidc.find('ReplayDetection', 'proof of jti_1', 1_001)).toBeNull();
  });

  test('where no entry is free the passport has none', async () => {
    const storage = await open();
    await storage.issues.write(issue({ statusEntries: [5] }), 1_000);
    const second = issue({ jti: 'jti_2', statusEntries: [5] });
    expect(await storage.issues.write(second, 1_000)).toEqual({ kind: 'issued', statusIndex: null });
  });

  test('one that the database refuses does not take those with it that came at the same moment', async () => {
    const storage = await open();
    await storage.passports.insert(passport({ jti: 'taken' }));
    const outcomes = await Promise.allSettled(
      ['jti_1', 'taken', 'jti_2'].map((jti, index) =>
        storage.issues.write(issue({ jti, statusEntries: [20 + index] }), 1_000),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await storage.oidc.find('ReplayDetection', 'proof of taken', 1_001)).toBeNull();
    expect(await storage.passports.get('default', 'jti_2')).not.toBeNull();
  });

  test('inside a unit of work it stands or falls with it', async () => {
    const storage = await open();
    const failing = storage.unitOfWork.run(async (stores) => {
      expect(await stores.issues.write(issue(), 1_000)).toMatchObject({ kind: 'issued' });
      throw new Error('the rest failed');
    });
    await expect(failing).rejects.toThrow('the rest failed');
    expect(await storage.passports.get('default', 'jti_1')).toBeNull();
    await storage.unitOfWork.run((stores) => stores.issues.write(issue(), 1_000));
    expect(await storage.passports.get('default', 'jti_1')).not.toBeNull();
    const outside = storage.unitOfWork.run(() => storage.issues.write(issue({ jti: 'jti_2' }), 1_000));
    await expect(outside).rejects.toThrow('use the stores that it was given');
  });
});
