import { expect, test } from 'vitest';
import { describeEachDialect } from './each-dialect.ts';
import { decoy, winners } from './records.ts';

describeEachDialect('decoys', (database) => {
  test('a decoy comes back as it was planted', async () => {
    const { decoys } = await database.open();
    const long = decoy({ id: 'decoy_2', value: 'fake '.repeat(5_000), sid: 'sid_1' });
    expect(await decoys.insert(decoy())).toBe(true);
    expect(await decoys.insert(long)).toBe(true);
    expect(await decoys.list('default')).toEqual([decoy(), long]);
    expect(await decoys.list('other')).toEqual([]);
    expect(await decoys.all()).toHaveLength(2);
  });

  test('a value is planted once, so that it names one planting when it leaks', async () => {
    const { decoys } = await database.open();
    const won = await winners(20, (index) => decoys.insert(decoy({ id: `d${index}`, sid: `s${index}` })));
    expect(won).toBe(1);
    expect(await decoys.insert(decoy({ tenant: 'other' }))).toBe(true);
  });

  test('deletion reaches the named one alone', async () => {
    const { decoys } = await database.open();
    await decoys.insert(decoy());
    expect(await decoys.delete('other', 'decoy_1')).toBe(false);
    expect(await decoys.delete('default', 'decoy_1')).toBe(true);
    expect(await decoys.all()).toEqual([]);
  });

  test('its mark is another one after every change, and the same one without', async () => {
    const { decoys } = await database.open();
    const marks = [await decoys.mark()];
    await decoys.insert(decoy());
    marks.push(await decoys.mark());
    await decoys.insert(decoy({ id: 'decoy_2', value: 'another value' }));
    marks.push(await decoys.mark());
    await decoys.delete('default', 'decoy_2');
    await decoys.insert(decoy({ id: 'decoy_3', value: 'a third value' }));
    marks.push(await decoys.mark());
    expect(new Set(marks).size).toBe(4);
    expect(await decoys.mark()).toBe(marks.at(-1));
  });

  test('what was planted for one session is forgotten, what was planted for all is not', async () => {
    const { decoys } = await database.open();
    await decoys.insert(decoy({ id: 'all', value: 'for all of them', sid: null, plantedAt: 1 }));
    await decoys.insert(decoy({ id: 'old', value: 'for an old one', sid: 'sid_1', plantedAt: 1 }));
    await decoys.insert(decoy({ id: 'new', value: 'for a new one', sid: 'sid_2', plantedAt: 9 }));
    expect(await decoys.deleteOlderThan(9)).toBe(1);
    expect((await decoys.all()).map(({ id }) => id)).toEqual(['all', 'new']);
  });
});

describeEachDialect('habits', (database) => {
  test('the last ones that were put count, for each agent', async () => {
    const { baselines } = await database.open();
    expect(await baselines.habits('default', 'a')).toBeNull();
    await baselines.putHabits({ tenant: 'default', agentId: 'a', habits: '{"a":1}', at: 1 });
    await baselines.putHabits({ tenant: 'default', agentId: 'a', habits: '{"a":2}', at: 2 });
    expect(await baselines.habits('default', 'a')).toBe('{"a":2}');
    expect(await baselines.habits('default', 'b')).toBeNull();
    expect(await baselines.habits('other', 'a')).toBeNull();
  });
});

describeEachDialect('destinations', (database) => {
  test('the first sight counts, for each agent', async () => {
    const { baselines } = await database.open();
    const entry = { tenant: 'default', agentId: 'a', destination: 'https://x.test' };
    await baselines.addDestination({ ...entry, at: 5 });
    await baselines.addDestination({ ...entry, at: 3 });
    await baselines.addDestination({ ...entry, destination: '__proto__', at: 4 });
    expect(await baselines.destinations('default', 'a')).toEqual(
      new Map([
        ['https://x.test', 5],
        ['__proto__', 4],
      ]),
    );
    expect((await baselines.destinations('default', 'b')).size).toBe(0);
    expect((await baselines.destinations('other', 'a')).size).toBe(0);
  });
});

describeEachDialect('risks', (database) => {
  const risk = { tenant: 'default', sid: 'sid_1', score: 0.123456789, findings: 3, at: 1_000 };

  test('the newest moment of a session counts, also when an older one arrives late', async () => {
    const { risks } = await database.open();
    await risks.put(risk);
    expect(await risks.since(0, 9)).toEqual([risk]);
    await risks.put({ ...risk, score: 1, findings: 4, at: 2_000 });
    await risks.put({ ...risk, score: 0, findings: 0, at: 1_999 });
    expect(await risks.since(0, 9)).toEqual([{ ...risk, score: 1, findings: 4, at: 2_000 }]);
  });

  test('a start takes over the newest, of all tenants, and no more than it asked for', async () => {
    const { risks } = await database.open();
    for (const at of [1_000, 3_000, 2_000]) {
      await risks.put({ ...risk, tenant: `t${at}`, at });
    }
    const times = async (at: number, limit: number) => (await risks.since(at, limit)).map((one) => one.at);
    expect(await times(2_000, 9)).toEqual([3_000, 2_000]);
    expect(await times(0, 2)).toEqual([3_000, 2_000]);
  });

  test('what has not been touched since a moment is forgotten', async () => {
    const { risks } = await database.open();
    await risks.put(risk);
    expect(await risks.deleteOlderThan(1_000)).toBe(0);
    expect(await risks.deleteOlderThan(1_001)).toBe(1);
    expect(await risks.since(0, 9)).toEqual([]);
  });
});
