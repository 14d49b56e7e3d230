import { Refusal } from '../../core/index.ts';
import { PasskeyFault, type Passkeys } from '../passkeys.ts';
import type { UserRecord } from '../store.ts';
import type { Tickets } from '../tickets.ts';
import type { UserRoom } from '../users.ts';
import { html, page } from './html.ts';
import type { Page, PageAnswer, PageRequest } from './page.ts';
import { passkeyForm } from './passkey-form.ts';
import { notice } from './serve-pages.ts';
import type { SignInPages } from './sign-in.ts';

const FIRST_PASSKEY = 'First passkey';

export interface EnrolOptions {
  readonly users: UserRoom;
  readonly passkeys: Passkeys;
  readonly tickets: Tickets;
  readonly signIn: SignInPages;
}

/** The link by which a user chooses how to sign in: with a password, or with a passkey. */
export class EnrolPage {
  readonly #o: EnrolOptions;

  constructor(o: EnrolOptions) {
    this.#o = o;
  }

  get page(): Page {
    return {
      path: /^\/enrol\/(?<token>[A-Za-z0-9_-]{43})$/,
      methods: ['GET', 'POST'],
      answer: (request) => this.#answer(request),
    };
  }

  async #answer(request: PageRequest): Promise<PageAnswer> {
    const { users, signIn } = this.#o;
    const { token = '' } = request.params;
    const user = await users.byLink(token);
    const over = notice('This link is not good any more. Ask your administrator for another one.', 404);
    if (user === null) return over;
    if (request.method === 'GET') return this.#form(request, user, null);
    try {
      const enrolled = await (request.form.has('credential')
        ? this.#withPasskey(request, user, token)
        : this.#withPassword(request, token));
      return enrolled === null ? over : await signIn.finish(request, enrolled, 'link', '/account');
    } catch (fault) {
      if (fault instanceof PasskeyFault) {
        await signIn.refuse(request, user.id, 'passkey', fault.message);
        return this.#form(request, user, 'That passkey was not accepted. Try again.');
      }
      if (!(fault instanceof Refusal) || fault.code !== 'input_invalid') throw fault;
      return this.#form(request, user, fault.message);
    }
  }

  #withPassword({ form }: PageRequest, token: string): Promise<UserRecord | null> {
    const password = form.get('password') ?? '';
    if (password !== form.get('again')) {
      throw new Refusal('input_invalid', { detail: 'The two passwords are not the same.' });
    }
    return this.#o.users.enrol(token, password);
  }

  async #withPasskey({ form, browser }: PageRequest, user: UserRecord, token: string) {
    const { passkeys, tickets, users } = this.#o;
    const ticket = form.get('ticket') ?? '';
    if (tickets.read('passkey-add', browser, ticket)?.[0] !== user.id) {
      throw new PasskeyFault('the question is not ours, or too old');
    }
    const answer = form.get('credential') ?? '';
    return users.enrolPasskey(token, await passkeys.readNew(user, ticket, answer, FIRST_PASSKEY));
  }

  #form({ params, csrf, browser }: PageRequest, user: UserRecord, fault: string | null): PageAnswer {
    const { passkeys, tickets } = this.#o;
    const action = `/enrol/${params.token ?? ''}`;
    const ticket = tickets.issue('passkey-add', browser, [user.id]);
    return {
      kind: 'page',
      status: fault === null ? 200 : 400,
      html: page({
        title: 'Choose a password',
        script: true,
        body: html`${fault !== null && html`<p class="fault" role="alert">${fault}</p>`}
<p>For <strong>${user.displayName}</strong>. You sign in as <span class="code">${user.name}</span>.</p>
<form method="post" action="${action}">
<input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="name" autocomplete="username" value="${user.name}">
<label>Password, 15 characters or more <input type="password" name="password" autocomplete="new-password" minlength="15" required></label>
<label>Once more <input type="password" name="again" autocomplete="new-password" required></label>
<button class="main">Go on</button>
</form>
${
  passkeys.arePossible &&
  passkeyForm({
    action,
    csrf,
    ticket,
    ask: { create: passkeys.creation(user, [], ticket) },
    button: 'Use a passkey in place of a password',
  })
}`,
      }),
    };
  }
}
