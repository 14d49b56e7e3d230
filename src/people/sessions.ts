import type { Clock } from '../core/index.ts';
import { type Hashes, newToken, TOKEN_FORM } from './hashes.ts';
import type { PeopleStore, SignInMethod, UserRecord } from './store.ts';

/** Somebody who is signed in. */
export interface SignedIn {
  readonly user: UserRecord;
  readonly method: SignInMethod;
  /** Milliseconds since the epoch. */
  readonly signedInAt: number;
}

export interface SessionsOptions {
  readonly tenant: string;
  readonly store: PeopleStore;
  readonly hashes: Hashes;
  readonly clock: Clock;
  readonly lifetimeMs: number;
}

const LABEL = 'session';

/** Browsers in which somebody is signed in. Asked of the database each time: who was disabled is out at once. */
export class SignInSessions {
  readonly #o: SessionsOptions;

  constructor(o: SessionsOptions) {
    this.#o = o;
  }

  /** A fresh cookie value: what the browser had before is worth nothing (session fixation). */
  async begin(userId: string, method: SignInMethod, before: string | null): Promise<string> {
    const { tenant, store, hashes, clock, lifetimeMs } = this.#o;
    if (before !== null) await this.end(before);
    const token = newToken();
    const signedInAt = clock.now();
    await store.insertSession({
      hash: hashes.of(LABEL, token),
      tenant,
      userId,
      method,
      signedInAt,
      expiresAt: signedInAt + lifetimeMs,
    });
    return token;
  }

  /** Null for whoever is not signed in, not any more, or disabled. */
  async read(token: string | null): Promise<SignedIn | null> {
    if (token === null || !TOKEN_FORM.test(token)) return null;
    const { tenant, store, hashes, clock } = this.#o;
    const session = await store.session(hashes.of(LABEL, token));
    if (session === null || session.tenant !== tenant || session.expiresAt <= clock.now()) return null;
    const user = await store.user(tenant, session.userId);
    if (user?.status !== 'active') return null;
    return { user, method: session.method, signedInAt: session.signedInAt };
  }

  async endAll(userId: string): Promise<void> {
    await this.#o.store.deleteSessions(this.#o.tenant, userId);
  }

  async end(token: string): Promise<void> {
    if (!TOKEN_FORM.test(token)) return;
    await this.#o.store.deleteSession(this.#o.hashes.of(LABEL, token));
  }
}
