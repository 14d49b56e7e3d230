import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { StorageFault, unavailable } from '../fault.ts';
import type { Schema } from '../schema.ts';
import type { DialectConnection } from './dialect.ts';
import { PostgresFeed } from './postgres-feed.ts';
import { tellingLoss } from './postgres-loss.ts';

const CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 5_000;
/** No query of ours takes long; one that does must not hold its connection. */
const STATEMENT_TIMEOUT_MS = 15_000;
const IDLE_TRANSACTION_TIMEOUT_MS = 15_000;
/** Key of the advisory lock that one migrating node holds: "Saly". */
const MIGRATION_LOCK = 0x53616c79;
/** PostgreSQL's type number of bigint. */
const BIGINT = 20;

export interface PostgresOptions {
  readonly kind: 'postgres';
  /** `postgres://user:password@host:port/database`; TLS through `sslmode` (libpq's words). */
  readonly url: string;
  /** Connections of this node; one more listens for changes. */
  readonly connections?: number;
}

/** Makes the pool; the first query connects. Throws StorageFault when the address can't be read. */
export function openPostgres(options: PostgresOptions, onFault: (fault: unknown) => void): DialectConnection {
  const place = placeOf(options.url);
  const settings: pg.ClientConfig = {
    connectionString: options.url,
    application_name: 'sallyport',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
    types: { getTypeParser },
  };
  const pool = new pg.Pool({ ...settings, max: options.connections ?? CONNECTIONS });
  // The pool replaces a broken connection by itself. Without these listeners its error would end the process:
  // the pool listens to idle connections only.
  pool.on('error', onFault);
  pool.on('connect', (client) => client.on('error', onFault));
  const reaching = tellingLoss(pool, () =>
    pool.connect().catch((cause: unknown) => {
      throw isOpen ? unavailable(cause) : cause;
    }),
  );
  // The first connection is the start's, which names the address when it fails.
  let isOpen = false;
  pool.once('connect', () => {
    isOpen = true;
  });
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: reaching }) });
  const feed = new PostgresFeed(() => new pg.Client(settings), onFault);
  return {
    place,
    db,
    words: {
      text: 'text collate "C"',
      integer: 'bigint',
      real: 'double precision',
      bytes: 'bytea',
      options: '',
    },
    async lock(transaction) {
      await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(transaction);
    },
    feed,
    snapshot: null,
    exclusively: null,
    // The stores look at what others have committed meanwhile; a stricter default of the server's would fail them.
    transaction: () => db.transaction().setIsolationLevel('read committed'),
    async close() {
      await feed.close();
      await db.destroy();
      if (!pool.ended) await pool.end();
    },
  };
}

/** What may be shown of the address: never the password. */
function placeOf(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new StorageFault('storage.url', 'not an address like postgres://user:password@host:5432/database');
  }
  const host = parsed.host || parsed.searchParams.get('host') || 'localhost';
  return `postgres://${host}${parsed.pathname}`;
}

const getTypeParser: pg.CustomTypesConfig['getTypeParser'] = (oid, format) =>
  oid === BIGINT && format !== 'binary' ? toSafeInteger : pg.types.getTypeParser(oid, format);

/** Times and counters stay far below 2^53; a value beyond it is not one of ours. */
function toSafeInteger(digits: string): number {
  const value = Number(digits);
  if (!Number.isSafeInteger(value))
    throw new RangeError(`the database holds ${digits}, beyond what we write`);
  return value;
}
