import { join } from 'node:path';
import type { RequestHandler } from 'express';
import type { AuditEvent, AuditEventOf, Clock, UnitOfWork } from '../core/index.ts';
import { loadOrCreateRandomKey } from '../files/index.ts';
import { Hashes } from './hashes.ts';
import { accountPage } from './pages/account.ts';
import type { Page } from './pages/page.ts';
import { servePages } from './pages/serve-pages.ts';
import { SignInPages } from './pages/sign-in.ts';
import { Passwords } from './passwords.ts';
import { SignInSessions } from './sessions.ts';
import type { PeopleStore } from './store.ts';
import { type PeopleStores, UserRoom, type Users } from './users.ts';

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
  const users = new UserRoom({ ...o, hashes, passwords });
  const sessions = new SignInSessions({ ...o, hashes, lifetimeMs: SESSION_MS });
  const signIn = new SignInPages({ ...o, users, passwords, sessions, otherWays: () => null });
  const pages = [...signIn.pages, accountPage, ...o.pages];
  const timer = setInterval(() => {
    o.store.deleteExpired(o.clock.now()).catch(o.onFault);
  }, SWEEP_MS).unref();
  return {
    users,
    pages: servePages(() => pages, { ...o, hashes, sessions }),
    close: async () => clearInterval(timer),
  };
}
