import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { expect, test } from 'vitest';
import { StorageFault, type StorageOptions } from '../../src/storage/index.ts';
import { MIGRATIONS, type Migration } from '../../src/storage/migrations/index.ts';
import { openStorageWith } from '../../src/storage/open.ts';
import { describeEachDialect } from './each-dialect.ts';
import { agent } from './records.ts';

const NEXT = Math.max(...MIGRATIONS.map(({ number }) => number)) + 1;

const later: Migration = {
  number: NEXT,
  name: 'later',
  statements: ({ text, options }) => [`create table later (id ${text} primary key)${options}`],
};

/** Changes the database behind the program's back. */
async function tamper(place: StorageOptions, statement: string): Promise<void> {
  if (place.kind === 'sqlite') {
    const database = new DatabaseSync(place.file);
    database.exec(statement);
    database.close();
    return;
  }
  const client = new pg.Client(place.url);
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

describeEachDialect('migrations', (database) => {
  test('a second start finds everything again', async () => {
    const place = await database.place();
    const first = await openStorageWith(place, MIGRATIONS);
    await first.agents.insert(agent());
    await first.close();
    const second = await openStorageWith(place, MIGRATIONS);
    expect(await second.agents.get('default', 'agent_1')).toEqual(agent());
    await second.close();
  });

  test('a newer program adds what is new and keeps what is there', async () => {
    const place = await database.place();
    const old = await openStorageWith(place, MIGRATIONS);
    await old.agents.insert(agent());
    await old.close();
    const newer = await openStorageWith(place, [...MIGRATIONS, later]);
    expect(await newer.agents.get('default', 'agent_1')).toEqual(agent());
    await newer.close();
  });

  test('a database that a newer program has written is refused', async () => {
    const place = await database.place();
    await (await openStorageWith(place, [...MIGRATIONS, later])).close();
    await expect(openStorageWith(place, MIGRATIONS)).rejects.toThrow(
      new RegExp(`written by a newer Sallyport \\(migration ${NEXT} "later"`),
    );
  });

  test('a migration that was altered after it ran is refused, whichever side was altered', async () => {
    const place = await database.place();
    await (await openStorageWith(place, [...MIGRATIONS, later])).close();
    const altered = { ...later, statements: () => ['create table other (id text)'] };
    await expect(openStorageWith(place, [...MIGRATIONS, altered])).rejects.toThrow(
      new RegExp(`migration ${NEXT} "later" is not the one`),
    );
    await tamper(place, `update sallyport_migrations set checksum = 'x' where number = 1`);
    await expect(openStorageWith(place, [...MIGRATIONS, later])).rejects.toThrow(StorageFault);
  });

  test('one that fails half-way leaves the old schema whole', async () => {
    const place = await database.place();
    await (await openStorageWith(place, MIGRATIONS)).close();
    const broken: Migration = {
      ...later,
      statements: (words) => [...later.statements(words), 'this is not SQL'],
    };
    await expect(openStorageWith(place, [...MIGRATIONS, broken])).rejects.toThrow(StorageFault);
    await (await openStorageWith(place, [...MIGRATIONS, later])).close();
  });

  test('a row that someone else wrote is an error that names table and column, never a record', async () => {
    const place = await database.place();
    const storage = await openStorageWith(place, MIGRATIONS);
    await storage.agents.insert(agent());
    await storage.close();
    await tamper(place, `update agents set scopes = '{"not":"a list"}'`);
    const again = await openStorageWith(place, MIGRATIONS);
    await expect(again.agents.get('default', 'agent_1')).rejects.toThrow(/table agents: .*scopes/);
    await again.close();
    await tamper(place, `update agents set scopes = 'not JSON'`);
    const third = await openStorageWith(place, MIGRATIONS);
    await expect(third.agents.list('default', { after: null, limit: 1 })).rejects.toThrow(/scopes: not JSON/);
    await third.close();
  });
});
