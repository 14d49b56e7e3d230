import { expect, test } from 'vitest';
import { describeEachDialect } from './each-dialect.ts';
import { delivery, sink } from './records.ts';

describeEachDialect('sinks', (database) => {
  test('a sink comes back as it was written, with and without a secret', async () => {
    const { sinks } = await database.open();
    expect(await sinks.insert(sink())).toBe(true);
    const plain = sink({ id: 'sink_2', name: 'file', kind: 'file', sealedSecret: null });
    expect(await sinks.insert(plain)).toBe(true);
    expect(await sinks.get('default', 'sink_1')).toEqual(sink());
    expect(await sinks.list('default')).toEqual([plain, sink()]);
    expect(await sinks.get('other', 'sink_1')).toBeNull();
  });

  test('a name is taken once a tenant', async () => {
    const { sinks } = await database.open();
    await sinks.insert(sink());
    expect(await sinks.insert(sink({ id: 'sink_2' }))).toBe(false);
    expect(await sinks.insert(sink({ tenant: 'other' }))).toBe(true);
    expect(await sinks.all()).toHaveLength(2);
  });

  test('a new secret takes the place of the old one', async () => {
    const { sinks } = await database.open();
    await sinks.insert(sink());
    const sealed = Uint8Array.from([9, 9]);
    expect(await sinks.setSecret('other', 'sink_1', sealed)).toBe(false);
    expect(await sinks.setSecret('default', 'sink_1', sealed)).toBe(true);
    expect(await sinks.get('default', 'sink_1')).toEqual(sink({ sealedSecret: sealed }));
  });

  test('status and deletion reach the named sink alone', async () => {
    const { sinks } = await database.open();
    await sinks.insert(sink());
    expect(await sinks.setStatus('other', 'sink_1', 'disabled')).toBe(false);
    expect(await sinks.setStatus('default', 'sink_1', 'disabled')).toBe(true);
    expect((await sinks.get('default', 'sink_1'))?.status).toBe('disabled');
    expect(await sinks.delete('other', 'sink_1')).toBe(false);
    expect(await sinks.delete('default', 'sink_1')).toBe(true);
    expect(await sinks.list('default')).toEqual([]);
  });
});

describeEachDialect('outbox', (database) => {
  test('deliveries and cursor move together, and a second projection changes nothing', async () => {
    const { outbox } = await database.open();
    expect(await outbox.cursor('n1')).toBe(0);
    await outbox.project('n1', [delivery()], 7);
    await outbox.record('n1', delivery({ status: 'delivered', attempts: 1 }));
    await outbox.project('n1', [delivery()], 7);
    expect(await outbox.cursor('n1')).toBe(7);
    expect(await outbox.list('n1', { limit: 5 })).toEqual([delivery({ status: 'delivered', attempts: 1 })]);
  });

  test('the cursor never moves back, and is a matter of one node', async () => {
    const { outbox } = await database.open();
    await outbox.project('n1', [], 9);
    await outbox.project('n1', [], 4);
    await outbox.project('n2', [delivery()], 1);
    expect(await outbox.cursor('n1')).toBe(9);
    expect(await outbox.cursor('n2')).toBe(1);
    expect(await outbox.due('n1', 1e12, 9)).toEqual([]);
  });

  test('a projection of thousands is written whole', async () => {
    const { outbox } = await database.open();
    const many = Array.from({ length: 1_203 }, (_, index) => delivery({ sequence: index + 1 }));
    await outbox.project('n1', many, 1_203);
    expect(await outbox.due('n1', 1_000, 5_000)).toHaveLength(1_203);
  });

  test('due are those whose time has come, in order; the next time is known', async () => {
    const { outbox } = await database.open();
    expect(await outbox.nextDueAt('n1')).toBeNull();
    await outbox.project(
      'n1',
      [
        delivery({ sequence: 1, nextAttemptAt: 3_000 }),
        delivery({ sequence: 2, nextAttemptAt: 2_000 }),
        delivery({ sequence: 3, nextAttemptAt: 9_000 }),
        delivery({ sequence: 4, status: 'abandoned', nextAttemptAt: 1 }),
      ],
      4,
    );
    const due = async (limit: number) =>
      (await outbox.due('n1', 3_000, limit)).map(({ sequence }) => sequence);
    expect(await due(9)).toEqual([2, 1]);
    expect(await due(1)).toEqual([2]);
    expect(await outbox.nextDueAt('n1')).toBe(2_000);
    await outbox.record(
      'n1',
      delivery({ sequence: 2, attempts: 3, status: 'abandoned', lastError: '410 Gone' }),
    );
    expect(await outbox.nextDueAt('n1')).toBe(3_000);
    const abandoned = await outbox.list('n1', { status: 'abandoned', limit: 9 });
    expect(abandoned.map(({ sequence, lastError }) => [sequence, lastError])).toEqual([
      [4, null],
      [2, '410 Gone'],
    ]);
  });

  test("a sink that is passed over stands in nobody's way", async () => {
    const { outbox } = await database.open();
    const slow = delivery({ sinkId: 'slow', nextAttemptAt: 1_000 });
    const quick = delivery({ sinkId: 'quick', nextAttemptAt: 2_000 });
    await outbox.project('n1', [slow, quick], 1);
    expect(await outbox.due('n1', 5_000, 1, ['slow'])).toEqual([quick]);
    expect(await outbox.nextDueAt('n1', ['slow'])).toBe(2_000);
    expect(await outbox.nextDueAt('n1', ['slow', 'quick'])).toBeNull();
    expect(await outbox.due('n1', 5_000, 9, [])).toEqual([slow, quick]);
  });

  test('finished ones are forgotten after a while, pending ones never', async () => {
    const { outbox } = await database.open();
    const rows = [
      delivery({ sequence: 1, status: 'delivered', nextAttemptAt: 1_000 }),
      delivery({ sequence: 2, status: 'abandoned', nextAttemptAt: 1_000 }),
      delivery({ sequence: 3, status: 'delivered', nextAttemptAt: 2_000 }),
      delivery({ sequence: 4, status: 'pending', nextAttemptAt: 1_000 }),
    ];
    await outbox.project('n1', rows, 4);
    await outbox.project('n2', rows, 4);
    expect(await outbox.deleteFinished('n1', 2_000)).toBe(2);
    expect((await outbox.list('n1', { limit: 9 })).map(({ sequence }) => sequence)).toEqual([4, 3]);
    expect(await outbox.list('n2', { limit: 9 })).toHaveLength(4);
  });

  test('the outcome of a delivery that was never projected is a mistake', async () => {
    const { outbox } = await database.open();
    await expect(outbox.record('n1', delivery())).rejects.toThrow(TypeError);
  });
});
