import { buildAuthorizationUrl, calculatePKCECodeChallenge } from 'openid-client';
import { type Clock, type JsonObject, Refusal } from '../../core/index.ts';
import { meetsConditions } from '../../proof/index.ts';
import type { PeopleStore, UserRecord } from '../store.ts';
import type { Tickets } from '../tickets.ts';
import { readAnswer, UpstreamFault } from '../upstream/callback.ts';
import type { UpstreamProvider } from '../upstream/provider.ts';
import type { Upstreams } from '../upstream/upstreams.ts';
import type { UserRoom } from '../users.ts';
import { type Html, html, page } from './html.ts';
import type { Page, PageAnswer, PageRequest } from './page.ts';
import { notice } from './serve-pages.ts';
import { nextPage, type SignInPages } from './sign-in.ts';

export interface UpstreamPagesOptions {
  readonly tenant: string;
  readonly origin: string;
  readonly store: PeopleStore;
  readonly users: UserRoom;
  readonly upstreams: Upstreams;
  readonly tickets: Tickets;
  readonly signIn: () => SignInPages;
  readonly clock: Clock;
}

/** Who it is is known to the provider, and to nobody here. */
class UnknownSubject extends UpstreamFault {
  readonly subject: string;

  constructor(message: string, subject: string) {
    super(message);
    this.subject = subject;
  }
}

/**
 * Signing in through an OpenID provider: authorization code with PKCE, a state that is the browser's own and good once,
 * a nonce, and an address of its own for each provider, so that the answer of one is never taken for another's.
 */
export class UpstreamPages {
  readonly #o: UpstreamPagesOptions;

  constructor(o: UpstreamPagesOptions) {
    this.#o = o;
  }

  get pages(): readonly Page[] {
    const answer = (act: (request: PageRequest, provider: UpstreamProvider) => Promise<PageAnswer>) => {
      return async (request: PageRequest) => {
        const provider = this.#o.upstreams.byName(request.params.name ?? '');
        return provider === null ? notice('There is no such provider.', 404) : act(request, provider);
      };
    };
    return [
      {
        path: /^\/upstream\/(?<name>[a-z0-9-]{1,31})$/,
        methods: ['POST'],
        answer: answer((request, provider) => this.#begin(request, provider)),
      },
      {
        path: /^\/upstream\/(?<name>[a-z0-9-]{1,31})\/callback$/,
        methods: ['GET'],
        answer: answer((request, provider) => this.#finish(request, provider)),
      },
    ];
  }

  /** A button for each provider. */
  buttons({ csrf, query }: PageRequest, next: string): Html {
    const again = query.get('again') === '1';
    return html`${this.#o.upstreams.all.map(
      ({ settings }) => html`<form method="post" action="/upstream/${settings.name}">
<input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="continue" value="${next}">
${again && html`<input type="hidden" name="again" value="1">`}
<button>Sign in with ${settings.label}</button>
</form>`,
    )}`;
  }

  async #begin({ form, browser }: PageRequest, provider: UpstreamProvider): Promise<PageAnswer> {
    const { tickets, clock } = this.#o;
    const { settings } = provider;
    const again = form.get('again') === '1';
    const state = tickets.issue('upstream', browser, [
      settings.name,
      nextPage(form.get('continue')),
      again ? clock.now() : null,
    ]);
    const configuration = await provider.configuration().catch(() => null);
    if (configuration === null) return notice(`${settings.label} does not answer. Try again later.`, 502);
    const url = buildAuthorizationUrl(configuration, {
      redirect_uri: this.#callback(settings.name),
      scope: settings.scopes.join(' '),
      state,
      nonce: tickets.derive('nonce', state),
      code_challenge: await calculatePKCECodeChallenge(tickets.derive('code verifier', state)),
      code_challenge_method: 'S256',
      ...(again ? { prompt: 'login', max_age: '0' } : {}),
    });
    // Browsers keep a form from leading to other origins, and that includes where its answer leads.
    const body = html`<p><a href="${url.href}">On to ${settings.label}</a></p>`;
    return { kind: 'page', html: page({ title: 'One moment', body, refresh: url.href }) };
  }

  async #finish(request: PageRequest, provider: UpstreamProvider): Promise<PageAnswer> {
    const { tickets } = this.#o;
    const signIn = this.#o.signIn();
    const state = request.query.get('state') ?? '';
    const about = tickets.read('upstream', request.browser, state);
    const [name, next, askedAgainAt] = about ?? [];
    try {
      if (about === null) throw new UpstreamFault('the state is not of this browser, or too old');
      if (name !== provider.settings.name) throw new UpstreamFault('another provider was asked');
      if (!(await tickets.use(state))) throw new UpstreamFault('the state was used before');
      const url = new URL(this.#callback(provider.settings.name));
      url.search = request.query.toString();
      const claims = await readAnswer(provider, {
        url,
        state,
        nonce: tickets.derive('nonce', state),
        codeVerifier: tickets.derive('code verifier', state),
        askedAgainAt: typeof askedAgainAt === 'number' ? askedAgainAt : null,
      });
      const user = await this.#userOf(provider, claims);
      const method = typeof askedAgainAt === 'number' ? 'upstream-again' : 'upstream';
      return await signIn.finish(request, user, method, nextPage(typeof next === 'string' ? next : null));
    } catch (fault) {
      if (!(fault instanceof UpstreamFault)) throw fault;
      await signIn.refuse(request, null, 'upstream', `${provider.settings.name}: ${fault.message}`);
      return refused(provider, fault);
    }
  }

  /** Throws UpstreamFault for somebody who may not come in. */
  async #userOf({ settings, conditions }: UpstreamProvider, claims: JsonObject): Promise<UserRecord> {
    const { users } = this.#o;
    const subject = String(claims.sub);
    if (!meetsConditions(conditions, claims)) throw new UpstreamFault('the conditions are not met');
    const known = await this.#knownAs(settings.issuer, subject);
    if (known !== null) return known;
    if (!settings.createUsers) throw new UnknownSubject('the subject is unknown', subject);
    const name = nameIn(claims, settings.nameClaim);
    const displayName = typeof claims.name === 'string' ? claims.name : name;
    const made = await users
      .addFromUpstream({ name, displayName, issuer: settings.issuer, subject }, settings.name)
      .catch((cause: unknown) => {
        if (!(cause instanceof Refusal)) throw cause;
        throw new UpstreamFault('nobody can be named so here', { cause });
      });
    if (made !== null) return made;
    // It may have been this person in another window; else whoever has the name is somebody else.
    const now = await this.#knownAs(settings.issuer, subject);
    if (now === null) throw new UnknownSubject('the name is taken', subject);
    return now;
  }

  async #knownAs(issuer: string, subject: string): Promise<UserRecord | null> {
    const { store, tenant } = this.#o;
    const identity = await store.identity(tenant, issuer, subject);
    if (identity === null) return null;
    const user = await store.user(tenant, identity.userId);
    if (user?.status !== 'active') throw new UpstreamFault('disabled');
    return user;
  }

  #callback(name: string): string {
    return `${this.#o.origin}/upstream/${name}/callback`;
  }
}

/** Throws UpstreamFault where the provider gives no name that can be relied on. */
function nameIn(claims: JsonObject, claim: string): string {
  const name = claims[claim];
  if (typeof name !== 'string') throw new UpstreamFault(`it gives no ${claim}`);
  // An address that nobody checked is whatever somebody typed.
  if (claim === 'email' && claims.email_verified !== true)
    throw new UpstreamFault('the email is not verified');
  return name.toLowerCase();
}

function refused({ settings }: UpstreamProvider, fault: UpstreamFault): PageAnswer {
  const unknown =
    fault instanceof UnknownSubject &&
    html`<p>Nobody here is linked to your account there. An administrator links it by this subject:
<span class="code">${fault.subject}</span></p>`;
  return {
    kind: 'page',
    status: 403,
    html: page({
      title: 'You are not signed in',
      body: html`<p role="alert">Signing in with ${settings.label} did not work.</p>${unknown}
<p><a href="/signin">Sign in</a></p>`,
    }),
  };
}
