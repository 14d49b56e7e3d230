import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { groupedIssues } from '../../src/storage/grouped-issues.ts';
import { openStorage, type Storage } from '../../src/storage/index.ts';
import { TransactionGuard } from '../../src/storage/transaction-guard.ts';
import { agent, issue, passport } from './records.ts';

describe('passports that are issued at the same moment, on SQLite', () => {
  let folder: string;
  let file: string;
  let storage: Storage;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-issues-'));
    file = join(folder, 'gate.db');
    storage = await openStorage({ kind: 'sqlite', file, durability: 'process' });
    await storage.agents.insert(agent());
  });
  afterEach(async () => {
    await storage.close();
    await rm(folder, { recursive: true, force: true });
  });

  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => issue({ jti: `jti_${index}`, statusEntries: [index] }));

  test('share a transaction, however many there are', async () => {
    await storage.close();
    const database = new DatabaseSync(file);
    const groups: number[] = [];
    const count = () => Number(database.prepare('select count(*) as n from passports').get()?.n);
    const issues = groupedIssues(async (work) => {
      const before = count();
      work(database);
      groups.push(count() - before);
    }, new TransactionGuard());
    const outcomes = await Promise.all(many(150).map((one) => issues.write(one, 1_000)));
    expect(outcomes.every(({ kind }) => kind === 'issued')).toBe(true);
    expect(groups).toEqual([64, 64, 22]);
    database.close();
  });

  test('wait for a unit of work that is open, and see what it wrote', async () => {
    const begun = Promise.withResolvers<void>();
    const unit = storage.unitOfWork.run(async (stores) => {
      await stores.agents.update(agent({ status: 'quarantined', revision: 2 }));
      begun.resolve();
      for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    });
    await begun.promise;
    const written = Promise.all(many(3).map((one) => storage.issues.write(one, 1_000)));
    await unit;
    expect(await written).toEqual(Array.from({ length: 3 }, () => ({ kind: 'agent-changed' })));
  });

  test('are all refused when the disk is full, are not there, and are issued when there is room again', async () => {
    await storage.close();
    const database = new DatabaseSync(file);
    const issues = groupedIssues(async (work) => work(database), new TransactionGuard());
    const pages = Number(database.prepare('pragma page_count').get()?.page_count);
    database.exec(`pragma max_page_count = ${pages}`);
    const refused = await Promise.allSettled(many(60).map((one) => issues.write(one, 1_000)));
    expect(refused.map((one) => (one.status === 'rejected' ? one.reason.code : 'issued'))).toEqual(
      Array.from({ length: 60 }, () => 'storage_unavailable'),
    );
    expect(database.isTransaction).toBe(false);
    expect(database.prepare('select count(*) as n from passports').get()?.n).toBe(0);
    expect(database.prepare('select count(*) as n from oidc_rows').get()?.n).toBe(0);
    database.exec('pragma max_page_count = 1000000');
    const issued = await Promise.all(many(60).map((one) => issues.write(one, 1_000)));
    expect(issued.every(({ kind }) => kind === 'issued')).toBe(true);
    database.close();
  });

  test('are refused, not left waiting, when the database is closed', async () => {
    const written = storage.issues.write(issue(), 1_000);
    await storage.close();
    await expect(written).rejects.toThrow();
    await expect(storage.issues.write(issue({ jti: 'jti_2' }), 1_000)).rejects.toThrow();
  });

  test('are there after the process that issued them is gone', async () => {
    await storage.issues.write(issue({ statusEntries: [4] }), 1_000);
    await storage.close();
    storage = await openStorage({ kind: 'sqlite', file, durability: 'process' });
    expect(await storage.passports.get('default', 'jti_1')).toEqual(passport({ statusIndex: 4 }));
  });
});
