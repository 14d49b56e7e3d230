import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inspectStorage, openStorage, StorageFault } from '../../src/storage/index.ts';
import { describeEachDialect } from './each-dialect.ts';
import { agent } from './records.ts';

describeEachDialect('looking at a database', (database) => {
  test('tells its schema and its rows, and changes neither', async () => {
    const place = await database.place();
    const storage = await openStorage(place);
    await storage.agents.insert(agent());
    await storage.close();
    const found = await inspectStorage(place);
    expect(found?.missingMigrations).toBe(0);
    expect(await found?.stores.agents.get('default', 'agent_1')).toEqual(agent());
    await found?.close();
  });
});

test('a database that is absent, held by a gate, or out of reach is told apart', async () => {
  expect(
    await inspectStorage({ kind: 'sqlite', file: '/nonexistent/sallyport.db', durability: 'process' }),
  ).toBeNull();
  const file = join(await mkdtemp(join(tmpdir(), 'sallyport-inspect-')), 'held.db');
  const holder = await openStorage({ kind: 'sqlite', file, durability: 'process' });
  await expect(inspectStorage({ kind: 'sqlite', file, durability: 'process' })).rejects.toThrow(
    /in use by another process/,
  );
  await holder.close();
  await expect(
    inspectStorage({ kind: 'postgres', url: 'postgres://nobody@127.0.0.1:1/none' }),
  ).rejects.toBeInstanceOf(StorageFault);
});
