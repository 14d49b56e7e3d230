import { type AuditEvent, type AuditEventOf, type Clock, RateLimiter } from '../../core/index.ts';
import type { Passwords } from '../passwords.ts';
import type { SignInSessions } from '../sessions.ts';
import type { PeopleStore, SignInMethod, UserRecord } from '../store.ts';
import { type Html, html, page } from './html.ts';
import type { Page, PageAnswer, PageRequest } from './page.ts';
import { tooMany } from './serve-pages.ts';

/** For one name from one network, and for one name from everywhere: guessing gets slow, locking out does not work. */
const PAIR_LIMIT = { perSecond: 1 / 60, burst: 5 };
const NAME_LIMIT = { perSecond: 1 / 10, burst: 60 };
const NETWORK_LIMIT = { perSecond: 1 / 2, burst: 100 };
/** Where a sign-in may lead: pages of ours alone, so that it redirects nobody elsewhere. */
const OWN_PAGE =
  /^\/(?:account|account\/sign-in|approvals\/approval_[a-z0-9]{1,64}|device|consent\/[A-Za-z0-9_-]{43})$/;
const USER_CODE = /^\/device\?user_code=[A-Za-z-]{8,9}$/;

export interface SignInOptions {
  readonly tenant: string;
  readonly store: PeopleStore;
  readonly passwords: Passwords;
  readonly sessions: SignInSessions;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly recordRefused: (event: AuditEventOf<'user.refused'>) => Promise<unknown>;
  /** Other ways than a password, shown below it. */
  readonly otherWays: (request: PageRequest, next: string) => Html | null;
}

/** The page that a sign-in leads to: one of ours, or the account. */
export function nextPage(text: string | null): string {
  return text !== null && (OWN_PAGE.test(text) || USER_CODE.test(text)) ? text : '/account';
}

/** Signing in, with a password here and with `otherWays` elsewhere, and signing out. */
export class SignInPages {
  readonly #o: SignInOptions;
  readonly #pairs = new RateLimiter(PAIR_LIMIT);
  readonly #names = new RateLimiter(NAME_LIMIT);
  readonly #networks = new RateLimiter(NETWORK_LIMIT);

  constructor(o: SignInOptions) {
    this.#o = o;
  }

  get pages(): readonly Page[] {
    return [
      { path: /^\/signin$/, methods: ['GET', 'POST'], answer: (request) => this.#signIn(request) },
      { path: /^\/signout$/, methods: ['POST'], answer: (request) => this.#signOut(request) },
    ];
  }

  /** What an attempt costs, until it turns out well; the milliseconds to wait, or 0. */
  attempt(name: string, network: string): number {
    const now = this.#o.clock.now();
    return Math.max(
      this.#networks.take(network, now),
      this.#pairs.take(`${network} ${name}`, now),
      this.#names.take(name, now),
    );
  }

  /** It was the user. */
  forgive(name: string, network: string): void {
    this.#networks.giveBack(network);
    this.#pairs.giveBack(`${network} ${name}`);
    this.#names.giveBack(name);
  }

  /** Signs the browser in: with a new cookie, so that nobody knows it who gave it one before. */
  async finish(
    request: PageRequest,
    user: UserRecord,
    method: SignInMethod,
    next: string,
  ): Promise<PageAnswer> {
    const { tenant, clock, audit, sessions } = this.#o;
    const data = { id: user.id, by: user.name, changes: { method, remote: request.remote } };
    await audit({ type: 'user.signed_in', tenant, at: clock.now(), data });
    return { kind: 'redirect', to: next, session: await sessions.begin(user.id, method, request.session) };
  }

  async refuse(request: PageRequest, user: string | null, method: SignInMethod, reason: string) {
    const { tenant, clock, recordRefused } = this.#o;
    const data = { user, method, reason, remote: request.remote };
    await recordRefused({ type: 'user.refused', tenant, at: clock.now(), data });
  }

  async #signIn(request: PageRequest): Promise<PageAnswer> {
    if (request.method === 'GET') {
      return this.form(request, nextPage(request.query.get('continue')), null);
    }
    const { form } = request;
    const next = nextPage(form.get('continue'));
    const name = (form.get('name') ?? '').trim().toLowerCase().slice(0, 128);
    const wait = this.attempt(name, request.network);
    if (wait > 0) return tooMany(wait);
    const { store, tenant, passwords } = this.#o;
    const user = await store.userByName(tenant, name);
    const right = await passwords.matches(user?.password ?? null, form.get('password') ?? '');
    if (user !== null && right && user.status === 'active') {
      this.forgive(name, request.network);
      return this.finish(request, user, 'password', next);
    }
    await this.refuse(request, user?.id ?? null, 'password', right ? 'disabled' : 'wrong name or password');
    // The same words for all: who may not know must not learn who there is.
    return this.form(request, next, 'That name and that password do not belong together.');
  }

  async #signOut(request: PageRequest): Promise<PageAnswer> {
    const { tenant, clock, audit, sessions } = this.#o;
    const { session, signedIn, form } = request;
    if (session !== null) await sessions.end(session);
    if (signedIn !== null) {
      const { id, name } = signedIn.user;
      const everywhere = form.get('everywhere') === 'yes';
      if (everywhere) await sessions.endAll(id);
      const data = { id, by: name, changes: everywhere ? { everywhere } : {} };
      await audit({ type: 'user.signed_out', tenant, at: clock.now(), data });
    }
    return { kind: 'redirect', to: '/signin', session: null };
  }

  /** The page; `fault`: why nobody is signed in. */
  form(request: PageRequest, next: string, fault: string | null): PageAnswer {
    return {
      kind: 'page',
      status: fault === null ? 200 : 401,
      html: page({
        title: 'Sign in',
        script: true,
        body: html`${
          request.query.get('again') === '1' &&
          html`<p>Sign in once more: what comes next asks that you are there now.</p>`
        }
${fault !== null && html`<p class="fault" role="alert">${fault}</p>`}
<form method="post" action="/signin">
<input type="hidden" name="csrf" value="${request.csrf}">
<input type="hidden" name="continue" value="${next}">
<label>Name <input type="text" name="name" autocomplete="username" autocapitalize="none" required></label>
<label>Password <input type="password" name="password" autocomplete="current-password" required></label>
<button class="main">Sign in</button>
</form>
${this.#o.otherWays(request, next)}`,
      }),
    };
  }
}
