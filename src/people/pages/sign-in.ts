import { type AuditEvent, type AuditEventOf, type Clock, RateLimiter, Refusal } from '../../core/index.ts';
import type { Passwords } from '../passwords.ts';
import type { SignInSessions } from '../sessions.ts';
import type { PeopleStore, SignInMethod, UserRecord } from '../store.ts';
import type { UserRoom } from '../users.ts';
import { type Html, html, page } from './html.ts';
import type { Page, PageAnswer, PageRequest } from './page.ts';
import { notice, tooMany } from './serve-pages.ts';

/** For one name from one network, and for one name from everywhere: guessing gets slow, locking out does not work. */
const PAIR_LIMIT = { perSecond: 1 / 60, burst: 5 };
const NAME_LIMIT = { perSecond: 1 / 10, burst: 60 };
const NETWORK_LIMIT = { perSecond: 1 / 2, burst: 100 };
/** Where a sign-in may lead: pages of ours alone, so that it redirects nobody elsewhere. */
const OWN_PAGE = /^\/(?:account|device|consent\/[A-Za-z0-9_-]{43})$/;
const USER_CODE = /^\/device\?user_code=[A-Za-z-]{8,9}$/;

export interface SignInOptions {
  readonly tenant: string;
  readonly store: PeopleStore;
  readonly users: UserRoom;
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

/** Signing in with a password, signing out, and the link by which a user chooses a password. */
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
      {
        path: /^\/enrol\/(?<token>[A-Za-z0-9_-]{43})$/,
        methods: ['GET', 'POST'],
        answer: (request) => this.#enrol(request),
      },
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
      return this.#form(request, nextPage(request.query.get('continue')), null);
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
    return this.#form(request, next, 'That name and that password do not belong together.');
  }

  async #signOut(request: PageRequest): Promise<PageAnswer> {
    const { tenant, clock, audit, sessions } = this.#o;
    if (request.session !== null) await sessions.end(request.session);
    if (request.signedIn !== null) {
      const { id, name } = request.signedIn.user;
      await audit({
        type: 'user.signed_out',
        tenant,
        at: clock.now(),
        data: { id, by: name, changes: {} },
      });
    }
    return { kind: 'redirect', to: '/signin', session: null };
  }

  async #enrol(request: PageRequest): Promise<PageAnswer> {
    const { users } = this.#o;
    const { token = '' } = request.params;
    const user = await users.byLink(token);
    const over = notice('This link is not good any more. Ask your administrator for another one.', 404);
    if (user === null) return over;
    if (request.method === 'GET') return enrolForm(request, user, null);
    const password = request.form.get('password') ?? '';
    if (password !== request.form.get('again')) {
      return enrolForm(request, user, 'The two passwords are not the same.');
    }
    try {
      const enrolled = await users.enrol(token, password);
      return enrolled === null ? over : await this.finish(request, enrolled, 'link', '/account');
    } catch (fault) {
      if (!(fault instanceof Refusal) || fault.code !== 'input_invalid') throw fault;
      return enrolForm(request, user, fault.message);
    }
  }

  #form(request: PageRequest, next: string, fault: string | null): PageAnswer {
    return {
      kind: 'page',
      status: fault === null ? 200 : 401,
      html: page({
        title: 'Sign in',
        body: html`${fault !== null && html`<p class="fault" role="alert">${fault}</p>`}
<form method="post" action="/signin">
<input type="hidden" name="csrf" value="${request.csrf}">
<input type="hidden" name="continue" value="${next}">
<label>Name <input type="text" name="name" autocomplete="username webauthn" autocapitalize="none" required></label>
<label>Password <input type="password" name="password" autocomplete="current-password" required></label>
<button class="main">Sign in</button>
</form>
${this.#o.otherWays(request, next)}`,
      }),
    };
  }
}

function enrolForm(request: PageRequest, user: UserRecord, fault: string | null): PageAnswer {
  return {
    kind: 'page',
    status: fault === null ? 200 : 400,
    html: page({
      title: 'Choose a password',
      body: html`${fault !== null && html`<p class="fault" role="alert">${fault}</p>`}
<p>For <strong>${user.displayName}</strong>. You sign in as <span class="code">${user.name}</span>.</p>
<form method="post" action="/enrol/${request.params.token ?? ''}">
<input type="hidden" name="csrf" value="${request.csrf}">
<input type="hidden" name="name" autocomplete="username" value="${user.name}">
<label>Password, 15 characters or more <input type="password" name="password" autocomplete="new-password" minlength="15" required></label>
<label>Once more <input type="password" name="again" autocomplete="new-password" required></label>
<button class="main">Go on</button>
</form>`,
    }),
  };
}
