import { join } from 'node:path';
import type { RequestHandler } from 'express';
import type { Approvals } from '../approvals/index.ts';
import type { AuditEvent, AuditEventOf, Clock, UnitOfWork } from '../core/index.ts';
import { loadOrCreateRandomKey } from '../files/index.ts';
import type { UserAccess } from './access.ts';
import type { PeopleStores } from './change-user.ts';
import { Hashes } from './hashes.ts';
import { AccountPages } from './pages/account.ts';
import { ApprovalPages } from './pages/approval.ts';
import { EnrolPage } from './pages/enrol.ts';
import { html } from './pages/html.ts';
import type { Page } from './pages/page.ts';
import { PasskeySignIn } from './pages/passkey-sign-in.ts';
import { servePages } from './pages/serve-pages.ts';
import { SignInPages } from './pages/sign-in.ts';
import { UpstreamPages } from './pages/upstream.ts';
import { WaysPage } from './pages/ways.ts';
import { Passkeys } from './passkeys.ts';
import { Passwords } from './passwords.ts';
import { SignInSessions } from './sessions.ts';
import type { OnceStore, PeopleStore } from './store.ts';
import { Tickets } from './tickets.ts';
import { type GuardedFetch, type UpstreamSettings, Upstreams } from './upstream/upstreams.ts';
import { UserRoom, type Users } from './users.ts';
import { SignInWays } from './ways.ts';

const PEOPLE_KEY_FILE = 'people.key';
const SESSION_MS = 12 * 3_600_000;
const SWEEP_MS = 10 * 60_000;

export interface PeopleRoomOptions {
  readonly tenant: string;
  /** The origin under which browsers reach the control plane. */
  readonly origin: string;
  /** Where the key of cookies and links is, or is made at first start. */
  readonly keysDirectory: string;
  readonly store: PeopleStore;
  readonly unitOfWork: UnitOfWork<PeopleStores>;
  /** What was shown once is good once, on every node. */
  readonly once: OnceStore;
  readonly approvals: Pick<Approvals, 'get' | 'list' | 'decide'>;
  readonly access: UserAccess;
  /** OpenID providers through which people sign in as well. */
  readonly providers: readonly UpstreamSettings[];
  /** How they are asked: under the rules of egress. */
  readonly fetch: GuardedFetch;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  /** Refusals, which anybody can cause. */
  readonly recordRefused: (event: AuditEventOf<'user.refused'>) => Promise<unknown>;
  /** Ends what agents hold in a user's name; resolves when that is durable. */
  readonly endAccess: (userId: string, by: string, reason: string) => Promise<void>;
  /** Pages of other rooms, for whoever is signed in. */
  readonly pages: readonly Page[];
  readonly onFault: (fault: unknown) => void;
}

export interface PeopleRoom {
  readonly users: Users;
  /** Express handler for the root of the control plane; other paths are passed on. */
  readonly pages: RequestHandler;
  close(): Promise<void>;
}

/** Opens the registry of people and the pages on which they sign in. Throws KeyFileError for a damaged key file. */
export async function openPeopleRoom(o: PeopleRoomOptions): Promise<PeopleRoom> {
  const hashes = new Hashes(
    await loadOrCreateRandomKey(
      join(o.keysDirectory, PEOPLE_KEY_FILE),
      'sign-in sessions and links of users',
    ),
  );
  const passwords = new Passwords();
  const upstreams = new Upstreams(o.providers, { fetch: o.fetch, clock: o.clock });
  const users = new UserRoom({ ...o, hashes, passwords, upstreams });
  const sessions = new SignInSessions({ ...o, hashes, lifetimeMs: SESSION_MS });
  const tickets = new Tickets({ ...o, hashes });
  const passkeys = new Passkeys({ ...o, tickets });
  const ways = new SignInWays({
    ...o,
    passwords,
    isProvider: (issuer) => upstreams.byIssuer(issuer) !== null,
  });
  const withPasskey = new PasskeySignIn({ passkeys, tickets, signIn: () => signIn });
  const throughOthers = new UpstreamPages({ ...o, users, upstreams, tickets, signIn: () => signIn });
  const signIn: SignInPages = new SignInPages({
    ...o,
    passwords,
    sessions,
    otherWays: (request, next) =>
      html`${withPasskey.form(request, next)}${throughOthers.buttons(request, next)}`,
  });
  const labelOf = (issuer: string) => upstreams.byIssuer(issuer)?.settings.label ?? issuer;
  const approvals = new ApprovalPages({ ...o, passkeys, passwords, tickets, ways, signIn });
  const pages = [
    ...signIn.pages,
    withPasskey.page,
    ...throughOthers.pages,
    new EnrolPage({ users, passkeys, tickets, signIn }).page,
    ...new AccountPages({ ...o, approvals }).pages,
    new WaysPage({ ...o, ways, passkeys, tickets, signIn, labelOf }).page,
    approvals.page,
    ...o.pages,
  ];
  const timer = setInterval(() => {
    o.store.deleteExpired(o.clock.now()).catch(o.onFault);
  }, SWEEP_MS).unref();
  return {
    users,
    pages: servePages(() => pages, { ...o, hashes, sessions }),
    close: async () => clearInterval(timer),
  };
}
