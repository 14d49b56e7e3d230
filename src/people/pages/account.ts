import type { ApprovalRecord } from '../../approvals/index.ts';
import type { Clock } from '../../core/index.ts';
import type { AccessView, UserAccess } from '../access.ts';
import type { UserRecord } from '../store.ts';
import { type ApprovalPages, moment } from './approval.ts';
import { approvalTitle } from './approval-view.ts';
import { type Html, html, page } from './html.ts';
import type { Page, PageAnswer, PageRequest } from './page.ts';
import { notice } from './serve-pages.ts';

export interface AccountPagesOptions {
  readonly approvals: ApprovalPages;
  readonly access: UserAccess;
  readonly clock: Clock;
  /** Ends all that agents hold in a user's name. */
  readonly endAccess: (userId: string, by: string, reason: string) => Promise<void>;
}

/** What waits for a user, and what agents may do in their name, with a way to end it. */
export class AccountPages {
  readonly #o: AccountPagesOptions;

  constructor(o: AccountPagesOptions) {
    this.#o = o;
  }

  get pages(): readonly Page[] {
    return [
      { path: /^\/account$/, methods: ['GET'], answer: (request) => this.#account(request) },
      { path: /^\/account\/end$/, methods: ['POST'], answer: (request) => this.#end(request) },
    ];
  }

  async #account({ signedIn, csrf }: PageRequest): Promise<PageAnswer> {
    if (signedIn === null) return { kind: 'redirect', to: '/signin?continue=/account' };
    const { user } = signedIn;
    const waiting = await this.#o.approvals.waitingFor(user);
    const held = await this.#o.access.list(user.id);
    return {
      kind: 'page',
      html: page({
        title: user.displayName,
        body: html`<p>You are signed in as <span class="code">${user.name}</span>.</p>
<h2>Waiting for you</h2>
${waiting.length === 0 ? html`<p>Nothing waits for you.</p>` : html`<ul>${waiting.map((one) => waitingItem(one, user))}</ul>`}
<h2>Agents that act in your name</h2>
${held.length === 0 ? html`<p>No agent holds anything in your name now.</p>` : held.map((one) => heldItem(one, csrf))}
${held.length > 0 && endForm(csrf, 'all', 'End all of it')}
<h2>You</h2>
<p><a href="/account/sign-in">How you sign in</a></p>
${signOutForm(csrf, false)}${signOutForm(csrf, true)}`,
      }),
    };
  }

  async #end({ signedIn, form }: PageRequest): Promise<PageAnswer> {
    if (signedIn === null) return { kind: 'redirect', to: '/signin?continue=/account' };
    const { id, name } = signedIn.user;
    const what = form.get('what') ?? '';
    if (what === 'all') {
      await this.#o.endAccess(id, name, 'ended by the user');
    } else if (!(await this.#o.access.end(id, what, name))) {
      return notice('Nothing of this is in your name; it may have ended already.', 404);
    }
    return { kind: 'redirect', to: '/account' };
  }
}

function waitingItem(record: ApprovalRecord, user: UserRecord): Html {
  const agent = typeof record.shown.agent === 'string' ? record.shown.agent : record.agentId;
  const mine = record.first?.principal === user.id;
  return html`<li><a href="/approvals/${record.id}">${agent} ${approvalTitle(record)}</a>, until ${moment(record.expiresAt)}${mine && html` (waits for a second person)`}</li>`;
}

function heldItem(one: AccessView, csrf: string): Html {
  const others = one.others.length > 0 && html` It passed it on to ${one.others.join(', ')}.`;
  return html`<section class="item">
<p><strong>${one.agent}</strong> may <span class="code">${one.scope}</span> at <span class="code">${one.audience}</span>, from ${moment(one.since)} to ${moment(one.until)}.${others}</p>
${endForm(csrf, one.id, html`End this<span class="hidden"> of ${one.agent}</span>`)}
</section>`;
}

function endForm(csrf: string, what: string, button: Html | string): Html {
  return html`<form method="post" action="/account/end">
<input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="what" value="${what}">
<button>${button}</button>
</form>`;
}

function signOutForm(csrf: string, everywhere: boolean): Html {
  return html`<form method="post" action="/signout">
<input type="hidden" name="csrf" value="${csrf}">
${everywhere && html`<input type="hidden" name="everywhere" value="yes">`}
<button>${everywhere ? 'Sign out everywhere' : 'Sign out'}</button>
</form>`;
}
