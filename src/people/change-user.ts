import { type Clock, Refusal, type UnitOfWork } from '../core/index.ts';
import type { PeopleStore, UserRecord } from './store.ts';

const ATTEMPTS = 4;

export interface PeopleStores {
  readonly people: PeopleStore;
}

export interface ChangeOptions {
  readonly tenant: string;
  readonly unitOfWork: UnitOfWork<PeopleStores>;
  readonly clock: Clock;
}

/** What becomes of the user; `store` is of the same transaction. */
export type Change = (user: UserRecord, store: PeopleStore) => Promise<UserRecord>;

/** Another writer was faster. */
class Overtaken extends Error {}

/**
 * Changes a user and what hangs on them as one, again while others are faster: of two changes each sees what the other
 * did. Throws Refusal: not_found, conflict.
 */
export async function changeUser(o: ChangeOptions, id: string, make: Change): Promise<UserRecord> {
  const { tenant, unitOfWork, clock } = o;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const changed = await unitOfWork
      .run(async ({ people }) => {
        const found = await people.user(tenant, id);
        if (found === null) throw userNotFound();
        const made = await make(found, people);
        const user = { ...made, updatedAt: clock.now(), revision: found.revision + 1 };
        if (!(await people.updateUser(user))) throw new Overtaken();
        return user;
      })
      .catch((fault: unknown) => {
        if (fault instanceof Overtaken) return null;
        throw fault;
      });
    if (changed !== null) return changed;
  }
  throw new Refusal('conflict', { detail: 'The user is being changed by others; try again.' });
}

export function userNotFound(): Refusal {
  return new Refusal('not_found', { detail: 'No user has this id.' });
}
