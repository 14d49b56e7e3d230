import type { DatabaseSync } from 'node:sqlite';
import type { Issue, IssueOutcome, IssueStore } from '../passport/index.ts';
import type { Exclusively } from './dialect/dialect.ts';
import { isDiskFault } from './dialect/sqlite-codes.ts';
import { unavailable } from './fault.ts';
import { issueWriter } from './issue-writer.ts';
import type { TransactionGuard } from './transaction-guard.ts';

/** A transaction holds up every other reader and writer; what comes beyond goes into the next one. */
const MOST_AT_ONCE = 64;

interface Waiting {
  readonly issue: Issue;
  readonly now: number;
  readonly resolve: (outcome: IssueOutcome) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Passports that are issued at the same moment share a transaction, and so one wait for the disk. Whoever asked hears
 * of his only when that transaction is durable. It runs without a turn of the event loop in between: nothing that
 * was looked up in it can be out of date when it is written, and one that may not be issued has written nothing that
 * would have to be undone for the others.
 */
export function groupedIssues(exclusively: Exclusively, guard: TransactionGuard): IssueStore {
  let waiting: Waiting[] = [];
  let running = false;

  const run = async (): Promise<void> => {
    try {
      while (waiting.length > 0) {
        // Requests that came in together are ready within the same turn of the loop.
        await new Promise((resolve) => setImmediate(resolve));
        await exclusively((database) => {
          const group = waiting.slice(0, MOST_AT_ONCE);
          waiting = waiting.slice(MOST_AT_ONCE);
          settle(database, group);
        });
      }
    } catch (fault) {
      // The database is closed: nobody is left waiting for it.
      for (const { reject } of waiting) reject(fault);
      waiting = [];
    } finally {
      running = false;
    }
  };

  return {
    write(issue, now) {
      guard.assertOutside();
      return new Promise((resolve, reject) => {
        waiting.push({ issue, now, resolve, reject });
        if (running) return;
        running = true;
        void run();
      });
    },
  };
}

function settle(database: DatabaseSync, group: readonly Waiting[]): void {
  let outcomes: readonly IssueOutcome[];
  try {
    outcomes = commit(database, group);
  } catch (cause) {
    const alone = group.length === 1 || isDiskFault(cause);
    // One that the database refuses does not take the others with it.
    if (!alone) for (const one of group) settle(database, [one]);
    else for (const { reject } of group) reject(isDiskFault(cause) ? unavailable(cause) : cause);
    return;
  }
  for (const [at, { resolve, reject }] of group.entries()) {
    const outcome = outcomes[at];
    if (outcome === undefined) reject(new TypeError('a passport was left out of its group'));
    else resolve(outcome);
  }
}

function commit(database: DatabaseSync, group: readonly Waiting[]): readonly IssueOutcome[] {
  const writer = issueWriter(database);
  database.exec('begin immediate');
  try {
    const outcomes = group.map(({ issue, now }) => writer(issue, now));
    database.exec('commit');
    return outcomes;
  } catch (cause) {
    // A full or failing disk has ended it already.
    if (database.isTransaction) database.exec('rollback');
    throw cause;
  }
}
