import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest';
import { openStorage, type Storage, type StorageOptions } from '../../src/storage/index.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

export interface TestDatabase {
  /** A storage on an empty database; closed after the test. */
  open(): Promise<Storage>;
  /** The options of an empty database, for tests that open it themselves. */
  place(): Promise<StorageOptions>;
}

/** Runs the same sentences on each database. Where no PostgreSQL can be had, its half is skipped and says why. */
export function describeEachDialect(name: string, sentences: (database: TestDatabase) => void): void {
  describe.each([{ dialect: 'sqlite' as const }, { dialect: 'postgres' as const }])(
    `${name} on $dialect`,
    ({ dialect }) => {
      const database = dialect === 'sqlite' ? sqliteDatabase() : postgresDatabase();
      const opened: Storage[] = [];
      afterEach(async () => {
        await Promise.all(opened.splice(0).map((storage) => storage.close()));
      });
      sentences({
        place: database.place,
        async open() {
          const storage = await openStorage(await database.place());
          opened.push(storage);
          return storage;
        },
      });
    },
  );
}

function sqliteDatabase(): { place(): Promise<StorageOptions> } {
  let folder: string;
  let files = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-storage-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return {
    async place() {
      files += 1;
      return { kind: 'sqlite', file: join(folder, `${files}.db`), durability: 'process' };
    },
  };
}

function postgresDatabase(): { place(): Promise<StorageOptions> } {
  const server = usePostgres();
  return {
    place: async () => ({
      kind: 'postgres',
      url: await server().newDatabase(),
      connections: 5,
      onFault: () => {},
    }),
  };
}

type Server = TestPostgres | { readonly missing: string };
let started: Promise<Server> | null = null;

// One server serves all tests of a file; each of them gets a database of its own.
afterAll(async () => {
  const server = await started;
  if (server !== null && 'stop' in server) await server.stop();
});

/** The tests of the surrounding `describe` are skipped, visibly, where no server can be had. */
export function usePostgres(): () => TestPostgres {
  let server: Server;
  beforeAll(async () => {
    started ??= startPostgres();
    server = await started;
    if ('missing' in server) process.stderr.write(`PostgreSQL tests skipped: ${server.missing}\n`);
  });
  beforeEach((context) => {
    if ('missing' in server) context.skip(server.missing);
  });
  return () => {
    if ('missing' in server) throw new Error(server.missing);
    return server;
  };
}
