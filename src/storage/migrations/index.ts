import { first } from './0001-first.ts';
import { delegation } from './0002-delegation.ts';
import { idempotency } from './0003-idempotency.ts';
import { enrolment } from './0004-enrolment.ts';
import { certificates } from './0005-certificates.ts';
import { ratchets } from './0006-ratchets.ts';
import { people } from './0007-people.ts';
import { approvers } from './0008-approvers.ts';
import { habits } from './0009-habits.ts';
import { personGrants } from './0010-person-grants.ts';
import { userPages } from './0011-user-pages.ts';
import type { Migration } from './migration.ts';

export type { MigrationTarget } from './migrate.ts';
export { countMissing, migrate } from './migrate.ts';
export type { Migration } from './migration.ts';

/** In order, without gaps. A migration that was released is never edited: a new one is added. */
export const MIGRATIONS: readonly Migration[] = [
  first,
  delegation,
  idempotency,
  enrolment,
  certificates,
  ratchets,
  people,
  approvers,
  habits,
  personGrants,
  userPages,
];
