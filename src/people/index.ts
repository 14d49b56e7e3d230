export type { PeopleRoom } from './room.ts';
export { openPeopleRoom } from './room.ts';
export type {
  IdentityRecord,
  PasskeyRecord,
  PeopleStore,
  SignInSessionRecord,
  UserLinkRecord,
  UserRecord,
} from './store.ts';
export type { Users } from './users.ts';
