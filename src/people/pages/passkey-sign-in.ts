import { PasskeyFault, type Passkeys } from '../passkeys.ts';
import type { Tickets } from '../tickets.ts';
import type { Html } from './html.ts';
import type { Page, PageAnswer, PageRequest } from './page.ts';
import { passkeyForm } from './passkey-form.ts';
import { nextPage, type SignInPages } from './sign-in.ts';

export interface PasskeySignInOptions {
  readonly passkeys: Passkeys;
  readonly tickets: Tickets;
  readonly signIn: () => SignInPages;
}

/** Signing in with a passkey, which also says who it is. */
export class PasskeySignIn {
  readonly #o: PasskeySignInOptions;

  constructor(o: PasskeySignInOptions) {
    this.#o = o;
  }

  get page(): Page {
    return { path: /^\/signin\/passkey$/, methods: ['POST'], answer: (request) => this.#answer(request) };
  }

  form({ browser, csrf }: PageRequest, next: string): Html | null {
    const { passkeys, tickets } = this.#o;
    if (!passkeys.arePossible) return null;
    const ticket = tickets.issue('passkey-sign-in', browser, [next]);
    return passkeyForm({
      action: '/signin/passkey',
      csrf,
      ticket,
      ask: { get: passkeys.request([], ticket) },
      button: 'Sign in with a passkey',
    });
  }

  async #answer(request: PageRequest): Promise<PageAnswer> {
    const { passkeys, tickets } = this.#o;
    const signIn = this.#o.signIn();
    const ticket = request.form.get('ticket') ?? '';
    const about = tickets.read('passkey-sign-in', request.browser, ticket);
    const next = nextPage(typeof about?.[0] === 'string' ? about[0] : null);
    try {
      if (about === null) throw new PasskeyFault('the question is not ours, or too old');
      const user = await passkeys.prove(ticket, request.form.get('credential') ?? '', null);
      return signIn.finish(request, user, 'passkey', next);
    } catch (fault) {
      if (!(fault instanceof PasskeyFault)) throw fault;
      await signIn.refuse(request, fault.userId, 'passkey', fault.message);
      return signIn.form(request, next, 'That passkey was not accepted. Try again, or take another way.');
    }
  }
}
