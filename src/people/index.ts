export type { AccessView, UserAccess } from './access.ts';
export { html, page } from './pages/html.ts';
export type { Page, PageAnswer, PageRequest } from './pages/page.ts';
export { notice, tooMany } from './pages/serve-pages.ts';
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
export type { UpstreamSettings } from './upstream/provider.ts';
export type { Users } from './users.ts';
