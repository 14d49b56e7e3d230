import type { Clock, UnitOfWork } from '../core/index.ts';
import type { CallBudget } from './call-budget.ts';
import type { PassportStores } from './options.ts';
import { LONGEST_GRANT_SECONDS } from './person-grants/store.ts';
import { LONGEST_LIFETIME_SECONDS } from './signing-keys.ts';
import type { VerifiedPassport } from './verified-passport.ts';

/**
 * Proof that a call was counted against every limit of the detail that covers it. Only this room makes one; it
 * is good for one call of one passport.
 */
export class CountedCall {
  readonly #passport: VerifiedPassport;
  /** Index of the detail. */
  readonly detail: number;

  constructor(passport: VerifiedPassport, detail: number) {
    this.#passport = passport;
    this.detail = detail;
    Object.freeze(this);
  }

  isOf(passport: VerifiedPassport): boolean {
    return this.#passport === passport;
  }
}

export interface CallCounterOptions {
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly clock: Clock;
}

class UsedUp extends Error {}

/** Counts calls of details that have a limit, across all nodes (rule 9 of docs/guarantees.md). */
export class CallCounter {
  readonly #o: CallCounterOptions;

  constructor(o: CallCounterOptions) {
    this.#o = o;
  }

  /**
   * Counts one call against the first of these details that has room left in all of its limits; null, and
   * nothing counted, when none has. Limits are taken from the root of the chain on, so that calls of several
   * descendants wait for one another and never in a circle.
   */
  async count(passport: VerifiedPassport, details: readonly number[]): Promise<CountedCall | null> {
    for (const detail of details) {
      const budgets = passport.budgets[detail] ?? [];
      if (budgets.length === 0 || (await this.#take(passport, budgets))) {
        return new CountedCall(passport, detail);
      }
    }
    return null;
  }

  async #take({ subject }: VerifiedPassport, budgets: readonly CallBudget[]): Promise<boolean> {
    const { tenant, user } = subject;
    // What a person gave is renewed for as long as the person let it run, and its limits stay the same ones.
    const kept = user === null ? LONGEST_LIFETIME_SECONDS : LONGEST_GRANT_SECONDS;
    const expiresAt = this.#o.clock.now() + (kept + 60) * 1000;
    try {
      await this.#o.unitOfWork.run(async ({ callCounts }) => {
        for (const budget of budgets) {
          // Thrown, so that what was counted before it is taken back.
          if (!(await callCounts.take({ tenant, ...budget, expiresAt }))) throw new UsedUp();
        }
      });
      return true;
    } catch (fault) {
      if (fault instanceof UsedUp) return false;
      throw fault;
    }
  }
}
