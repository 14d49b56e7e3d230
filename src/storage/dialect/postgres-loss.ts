import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { unavailable } from '../fault.ts';

/**
 * Classes and codes of SQLSTATE (PostgreSQL's appendix A) that say nothing of the query: connection exception, no
 * resources (disk, memory, connections), shut down by an operator, read only, system error, query taken too long.
 */
const NOT_THE_QUERY = /^(?:08|53|58|57P0[1-5]|57014|25006|25P03)/;

/** Whether a query failed because the server is gone, going, or can't write; else the query itself is wrong. */
export function isLoss(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  if (cause instanceof pg.DatabaseError) return NOT_THE_QUERY.test(cause.code ?? '');
  // Errors of the system (ECONNRESET, EPIPE) and of the driver about its connection; a TypeError is the program's.
  if ('code' in cause) return typeof cause.code === 'string' && /^E(?!RR_)/.test(cause.code);
  return /^(?:Connection|Client|Query read timeout)/.test(cause.message);
}

/** The pool as Kysely sees it: what is lost with the server is `storage_unavailable`, not a fault of ours. */
export function tellingLoss(pool: pg.Pool, connect: () => Promise<pg.PoolClient>): PostgresPool {
  // Kysely knows a connection by its object.
  const told = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await connect();
      const known = told.get(client) ?? telling(client);
      told.set(client, known);
      return known;
    },
  };
}

function telling(client: pg.PoolClient): PostgresPoolClient {
  // Only the way of a query's failure is ours: everything else stays the driver's own.
  return new Proxy<PostgresPoolClient>(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name !== 'query') return member.bind(target);
      return (...words: unknown[]) => {
        const answer: unknown = Reflect.apply(member, target, words);
        return answer instanceof Promise ? answer.catch(raiseTold) : answer;
      };
    },
  });
}

function raiseTold(cause: unknown): never {
  throw isLoss(cause) ? unavailable(cause) : cause;
}
