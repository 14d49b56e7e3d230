import { AsyncLocalStorage } from 'node:async_hooks';
import type { KyselyPlugin } from 'kysely';

/**
 * Finds work that waits for itself. A unit of work holds the one connection of SQLite (or one of PostgreSQL's
 * few); code inside it that goes to a store outside it would wait for that connection for ever.
 */
export class TransactionGuard implements KyselyPlugin {
  readonly #current = new AsyncLocalStorage<{ open: boolean }>();

  async inside<T>(work: () => Promise<T>): Promise<T> {
    const state = { open: true };
    try {
      return await this.#current.run(state, work);
    } finally {
      // What the work started and did not await goes on in this context, and may use the database again.
      state.open = false;
    }
  }

  /** Called before a connection is asked for. */
  assertOutside(): void {
    if (this.#current.getStore()?.open === true) {
      throw new TypeError(
        'inside a unit of work, use the stores that it was given: the others would wait for it',
      );
    }
  }

  /** Kysely calls this for each query of the database that is not on a transaction. */
  transformQuery({ node }: Parameters<KyselyPlugin['transformQuery']>[0]) {
    this.assertOutside();
    return node;
  }

  async transformResult({ result }: Parameters<KyselyPlugin['transformResult']>[0]) {
    return result;
  }
}
