import { type Clock, Refusal } from '../../core/index.ts';
import { PasskeyFault, type Passkeys } from '../passkeys.ts';
import type { SignedIn } from '../sessions.ts';
import type { PasskeyRecord } from '../store.ts';
import type { Tickets } from '../tickets.ts';
import type { SignInWays, Ways } from '../ways.ts';
import { moment } from './approval.ts';
import { type Html, html, page } from './html.ts';
import type { Page, PageAnswer, PageRequest } from './page.ts';
import { passkeyForm } from './passkey-form.ts';
import type { SignInPages } from './sign-in.ts';

const PATH = '/account/sign-in';
/** Who finds a browser open must not be able to give himself a way in. */
const FRESH_MS = 10 * 60_000;

export interface WaysPageOptions {
  readonly ways: SignInWays;
  readonly passkeys: Passkeys;
  readonly tickets: Tickets;
  readonly signIn: SignInPages;
  readonly clock: Clock;
  /** What people call the provider. */
  readonly labelOf: (issuer: string) => string;
}

/** With what a user signs in: passkeys, a password, other providers. */
export class WaysPage {
  readonly #o: WaysPageOptions;

  constructor(o: WaysPageOptions) {
    this.#o = o;
  }

  get page(): Page {
    return {
      path: /^\/account\/sign-in$/,
      methods: ['GET', 'POST'],
      answer: (request) => this.#answer(request),
    };
  }

  async #answer(request: PageRequest): Promise<PageAnswer> {
    const { signedIn, method } = request;
    if (signedIn === null) return { kind: 'redirect', to: `/signin?continue=${PATH}` };
    if (!this.#isFresh(signedIn)) return { kind: 'redirect', to: `/signin?again=1&continue=${PATH}` };
    if (method === 'GET') return this.#page(request, signedIn, null);
    try {
      const answered = await this.#change(request, signedIn);
      return answered ?? { kind: 'redirect', to: PATH };
    } catch (fault) {
      if (fault instanceof PasskeyFault) {
        await this.#o.signIn.refuse(request, signedIn.user.id, 'passkey', fault.message);
        return this.#page(request, signedIn, 'That passkey was not accepted. Try again.');
      }
      if (!(fault instanceof Refusal)) throw fault;
      return this.#page(request, signedIn, fault.message);
    }
  }

  #isFresh({ method, signedInAt }: SignedIn): boolean {
    return method !== 'upstream' && signedInAt > this.#o.clock.now() - FRESH_MS;
  }

  async #change(request: PageRequest, { user }: SignedIn): Promise<PageAnswer | null> {
    const { ways, passkeys, tickets, signIn } = this.#o;
    const { form, browser } = request;
    const id = form.get('id') ?? '';
    switch (form.get('do')) {
      case 'add-passkey': {
        const ticket = form.get('ticket') ?? '';
        if (tickets.read('passkey-add', browser, ticket)?.[0] !== user.id) {
          throw new PasskeyFault('the question is not ours, or too old');
        }
        const answer = form.get('credential') ?? '';
        await ways.addPasskey(await passkeys.readNew(user, ticket, answer, form.get('label') ?? ''));
        return null;
      }
      case 'rename-passkey':
        await ways.renamePasskey(user, id, form.get('label') ?? '');
        return null;
      case 'remove-passkey':
        await ways.removePasskey(user, id);
        return null;
      case 'remove-password':
        await ways.removePassword(user);
        return null;
      case 'change-password': {
        const password = form.get('password') ?? '';
        if (password !== form.get('again')) {
          throw new Refusal('input_invalid', { detail: 'The two passwords are not the same.' });
        }
        return signIn.finish(request, await ways.changePassword(user, password), 'password', PATH);
      }
      default:
        throw new Refusal('input_invalid', { detail: 'The page does not know what to do.' });
    }
  }

  async #page(request: PageRequest, { user }: SignedIn, fault: string | null): Promise<PageAnswer> {
    const { ways, passkeys, tickets, labelOf } = this.#o;
    const { csrf, browser } = request;
    const found = await ways.of(user);
    const ticket = tickets.issue('passkey-add', browser, [user.id]);
    return {
      kind: 'page',
      status: fault === null ? 200 : 409,
      html: page({
        title: 'How you sign in',
        script: true,
        body: html`${fault !== null && html`<p class="fault" role="alert">${fault}</p>`}
<h2>Passkeys</h2>
${found.passkeys.length === 0 ? html`<p>You have none.</p>` : found.passkeys.map((one) => passkeyItem(one, csrf))}
${
  passkeys.arePossible
    ? passkeyForm({
        action: PATH,
        csrf,
        ticket,
        ask: { create: passkeys.creation(user, found.passkeys, ticket) },
        button: 'Add a passkey',
        fields: html`${todo('add-passkey')}<label>What you call the new passkey <input type="text" name="label" maxlength="60" value="Passkey" required></label>`,
      })
    : html`<p class="note">Browsers have passkeys for names with TLS alone, and this gate is reached by an address.</p>`
}
<h2>Password</h2>
${passwordForms(csrf, user.name, found)}
${found.identities.length > 0 && html`<h2>Other providers</h2><ul>${found.identities.map(({ issuer }) => html`<li>${labelOf(issuer)}</li>`)}</ul>`}
<p><a href="/account">Your account</a></p>`,
      }),
    };
  }
}

function todo(what: string): Html {
  return html`<input type="hidden" name="do" value="${what}">`;
}

function passkeyItem({ id, label, createdAt, usedAt }: PasskeyRecord, csrf: string): Html {
  const hidden = html`<input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="id" value="${id}">`;
  const used = usedAt === null ? 'not used yet' : `last used ${moment(usedAt)}`;
  return html`<section class="item"><p><strong>${label}</strong>, added ${moment(createdAt)}, ${used}.</p>
<form method="post" action="${PATH}">${hidden}${todo('rename-passkey')}
<label>Name of ${label} <input type="text" name="label" maxlength="60" value="${label}" required></label>
<button>Rename<span class="hidden"> ${label}</span></button></form>
<form method="post" action="${PATH}">${hidden}${todo('remove-passkey')}<button>Remove<span class="hidden"> ${label}</span></button></form>
</section>`;
}

function passwordForms(csrf: string, name: string, { hasPassword }: Ways): Html {
  const hidden = html`<input type="hidden" name="csrf" value="${csrf}">`;
  return html`<form method="post" action="${PATH}">${hidden}${todo('change-password')}
<input type="hidden" autocomplete="username" value="${name}">
<label>New password, 15 characters or more <input type="password" name="password" autocomplete="new-password" minlength="15" required></label>
<label>Once more <input type="password" name="again" autocomplete="new-password" required></label>
<button>${hasPassword ? 'Change the password' : 'Choose a password'}</button></form>
${hasPassword && html`<form method="post" action="${PATH}">${hidden}${todo('remove-password')}<button>Remove the password</button></form>`}`;
}
