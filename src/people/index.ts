export { html, page, plain } from './pages/html.ts';
export type { Page, PageAnswer, PageRequest } from './pages/page.ts';
export { notice, tooMany } from './pages/serve-pages.ts';
export type { PeopleRoom } from './room.ts';
export { openPeopleRoom } from './room.ts';
export type { SignedIn } from './sessions.ts';
export type {
  IdentityRecord,
  PasskeyRecord,
  PeopleStore,
  SignInSessionRecord,
  UserLinkRecord,
  UserRecord,
} from './store.ts';
export type { Users, UserView } from './users.ts';
