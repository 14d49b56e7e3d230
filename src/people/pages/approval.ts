import type { ApprovalRecord, Approvals } from '../../approvals/index.ts';
import { type AuditEvent, type Clock, type JsonValue, Refusal } from '../../core/index.ts';
import { PasskeyFault, type Passkeys } from '../passkeys.ts';
import type { Passwords } from '../passwords.ts';
import type { SignedIn } from '../sessions.ts';
import type { UserRecord } from '../store.ts';
import type { Tickets } from '../tickets.ts';
import type { SignInWays, Ways } from '../ways.ts';
import { approvalTitle, approvalView } from './approval-view.ts';
import { type Html, html, page } from './html.ts';
import type { Page, PageAnswer, PageRequest } from './page.ts';
import { passkeyForm } from './passkey-form.ts';
import { tooMany } from './serve-pages.ts';
import type { SignInPages } from './sign-in.ts';

/** A sign-in at another provider that counts as being there now. */
const AGAIN_MS = 5 * 60_000;
const REASON = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{0,200}$/u;

export interface ApprovalPagesOptions {
  readonly tenant: string;
  readonly approvals: Pick<Approvals, 'get' | 'list' | 'decide'>;
  readonly passkeys: Passkeys;
  readonly passwords: Passwords;
  readonly tickets: Tickets;
  readonly ways: SignInWays;
  readonly signIn: SignInPages;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
}

/** Nobody proved to be there: what the page says. */
class NotConfirmed extends Error {}

/**
 * Where an approval URL leads. The user in whose name the agent asks decides here: to say yes they show once more that
 * they are there, for this one approval; to say no takes a click.
 */
export class ApprovalPages {
  readonly #o: ApprovalPagesOptions;

  constructor(o: ApprovalPagesOptions) {
    this.#o = o;
  }

  get page(): Page {
    return {
      path: /^\/approvals\/(?<id>approval_[a-z0-9]{1,64})$/,
      methods: ['GET', 'POST'],
      answer: (request) => this.#answer(request),
    };
  }

  /** What waits for this user, the longest waiting first. */
  async waitingFor(user: UserRecord): Promise<readonly ApprovalRecord[]> {
    const { approvals, tenant, clock } = this.#o;
    const filter = { status: 'pending', user: user.id, after: null, limit: 50 } as const;
    const found = await approvals.list(tenant, filter);
    return found.filter(({ expiresAt }) => expiresAt > clock.now());
  }

  async #answer(request: PageRequest): Promise<PageAnswer> {
    const { id = '' } = request.params;
    const { signedIn } = request;
    if (signedIn === null) return forStrangers(id);
    const record = await this.#o.approvals.get(this.#o.tenant, id);
    // Whose it is not learns nothing about it, not even that there is one.
    if (record === null || record.user !== signedIn.user.id) return notYours(id);
    if (request.method === 'GET') return this.#page(request, signedIn, record, null);
    try {
      const status = request.form.get('decision') === 'approve' ? 'approved' : 'denied';
      const wait = status === 'approved' ? await this.#confirm(request, signedIn, record) : 0;
      if (wait > 0) return tooMany(wait);
      const decided = await this.#decide(signedIn.user, record, status, readReason(request));
      return this.#page(request, signedIn, decided, null);
    } catch (fault) {
      if (!(fault instanceof Refusal || fault instanceof NotConfirmed)) throw fault;
      const now = (await this.#o.approvals.get(this.#o.tenant, id)) ?? record;
      return this.#page(request, signedIn, now, fault.message);
    }
  }

  #decide(user: UserRecord, { id }: ApprovalRecord, status: 'approved' | 'denied', reason: string | null) {
    const approver = { by: `${user.name} (${user.id})`, principal: user.id, since: user.createdAt };
    return this.#o.approvals.decide({ tenant: this.#o.tenant, id, status, reason, ...approver });
  }

  /**
   * That the user is there now, for this one approval and once. The milliseconds to wait, or 0. Throws NotConfirmed.
   */
  async #confirm(request: PageRequest, signedIn: SignedIn, record: ApprovalRecord): Promise<number> {
    const { tickets, signIn, audit, tenant, clock } = this.#o;
    const { user } = signedIn;
    const ticket = request.form.get('ticket') ?? '';
    const about = tickets.read('approve', request.browser, ticket);
    if (JSON.stringify(about) !== JSON.stringify(aboutOf(record, user))) {
      throw new NotConfirmed('The page was too old. Look at it again, then decide.');
    }
    const isPassword = request.form.has('password');
    const wait = isPassword ? signIn.attempt(user.name, request.network) : 0;
    if (wait > 0) return wait;
    const method = await this.#prove(request, signedIn, ticket);
    if (isPassword) signIn.forgive(user.name, request.network);
    const { id: approvalId, callDigest } = record;
    const changes = { approvalId, callDigest, method, remote: request.remote };
    const data = { id: user.id, by: user.name, changes };
    await audit({ type: 'user.confirmed', tenant, at: clock.now(), data });
    return 0;
  }

  async #prove(request: PageRequest, { user, method, signedInAt }: SignedIn, ticket: string) {
    const { passkeys, passwords, tickets, signIn, clock } = this.#o;
    const { form } = request;
    if (form.has('credential')) {
      try {
        await passkeys.prove(ticket, form.get('credential') ?? '', user);
        return 'passkey';
      } catch (fault) {
        if (!(fault instanceof PasskeyFault)) throw fault;
        await signIn.refuse(request, user.id, 'passkey', fault.message);
        throw new NotConfirmed('That passkey was not accepted. Nothing was decided.');
      }
    }
    const isThere = form.has('password')
      ? await passwords.matches(user.password, form.get('password') ?? '')
      : method === 'upstream-again' && signedInAt > clock.now() - AGAIN_MS;
    if (!isThere) {
      await signIn.refuse(request, user.id, form.has('password') ? 'password' : method, 'approval');
      throw new NotConfirmed('That is not your password. Nothing was decided.');
    }
    if (await tickets.use(ticket)) return form.has('password') ? 'password' : method;
    throw new NotConfirmed('This was sent twice; the first one counted.');
  }

  async #page(
    request: PageRequest,
    { user, method, signedInAt }: SignedIn,
    record: ApprovalRecord,
    fault: string | null,
  ): Promise<PageAnswer> {
    const { clock, ways } = this.#o;
    const isOpen = record.status === 'pending' && record.expiresAt > clock.now();
    const saidYes = record.first?.principal === user.id;
    const isBack = method === 'upstream-again' && signedInAt > clock.now() - AGAIN_MS;
    const title = `An agent ${approvalTitle(record)}`;
    return {
      kind: 'page',
      status: fault === null ? 200 : 409,
      html: page({
        title,
        script: true,
        body: html`${fault !== null && html`<p class="fault" role="alert">${fault}</p>`}
${stateOf(record, isOpen, saidYes)}
${approvalView(record)}
${isOpen && !saidYes && this.#yesForms(request, user, record, await ways.of(user), isBack)}
${isOpen && noForm(request, record)}
<p><a href="/account">Your account</a></p>`,
      }),
    };
  }

  #yesForms(
    { browser, csrf }: PageRequest,
    user: UserRecord,
    record: ApprovalRecord,
    { hasPassword, passkeys: known }: Ways,
    isBack: boolean,
  ): Html {
    const { tickets, passkeys } = this.#o;
    const ticket = tickets.issue('approve', browser, aboutOf(record, user));
    const action = `/approvals/${record.id}`;
    const decision = html`<input type="hidden" name="decision" value="approve">`;
    const hidden = html`${decision}<input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="ticket" value="${ticket}">`;
    return html`<h2>Say yes</h2>
<p>It lets exactly this pass, once. Show that it is you.</p>
${
  passkeys.arePossible &&
  known.length > 0 &&
  passkeyForm({
    action,
    csrf,
    ticket,
    ask: { get: passkeys.request(known, ticket) },
    button: 'Approve with a passkey',
    fields: decision,
    isMain: true,
  })
}
${
  hasPassword &&
  html`<form method="post" action="${action}">${hidden}
<input type="hidden" autocomplete="username" value="${user.name}">
<label>Password <input type="password" name="password" autocomplete="current-password" required></label>
<button class="main">Approve</button></form>`
}
${isBack && html`<form method="post" action="${action}">${hidden}<button class="main">Approve</button></form>`}
${
  !hasPassword &&
  !isBack &&
  html`<p><a href="/signin?again=1&amp;continue=${encodeURIComponent(action)}">Sign in again to approve</a></p>`
}`;
  }
}

/** A ticket is for one question to one person; a question that changed is another one. */
function aboutOf({ id, callDigest, first }: ApprovalRecord, user: UserRecord): readonly JsonValue[] {
  return [id, callDigest, user.id, first?.at ?? null];
}

function readReason({ form }: PageRequest): string | null {
  const reason = (form.get('reason') ?? '').trim();
  if (!REASON.test(reason)) {
    throw new Refusal('input_invalid', { detail: 'A reason is one line of at most 200 characters.' });
  }
  return reason === '' ? null : reason;
}

function noForm({ csrf }: PageRequest, { id }: ApprovalRecord): Html {
  return html`<h2>Say no</h2>
<form method="post" action="/approvals/${id}">
<input type="hidden" name="csrf" value="${csrf}">
<input type="hidden" name="decision" value="deny">
<label>Why, for the agent (you may leave it empty) <input type="text" name="reason" maxlength="200"></label>
<button>Deny</button>
</form>`;
}

function stateOf(record: ApprovalRecord, isOpen: boolean, saidYes: boolean): Html {
  const { status, approversNeeded, first, decidedBy, reason, expiresAt } = record;
  const because = reason !== null && html` The reason: <q>${reason}</q>`;
  if (isOpen) {
    const two = approversNeeded === 2 && first === null && html` Two people have to say yes.`;
    const second = first !== null && !saidYes && html` ${first.by} said yes; it takes a second person.`;
    const waits = saidYes && html` You said yes. It waits for a second person.`;
    return html`<p role="status">It waits until <time datetime="${new Date(expiresAt).toISOString()}">${moment(expiresAt)}</time>.${two}${second}${waits}</p>`;
  }
  switch (status) {
    case 'pending':
      return html`<p role="status">Nobody decided in time: it did not pass.</p>`;
    case 'approved':
      return html`<p role="status">Approved by ${decidedBy}. The agent may do it once.${because}</p>`;
    case 'used':
      return html`<p role="status">Approved by ${decidedBy}, and done.</p>`;
    case 'denied':
      return html`<p role="status">Denied by ${decidedBy}.${because}</p>`;
  }
}

export function moment(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function forStrangers(id: string): PageAnswer {
  return other(
    200,
    html`<p>An agent waits for a person. If it acts in your name, decide here:</p>
<p><a href="/signin?continue=${encodeURIComponent(`/approvals/${id}`)}">Sign in</a></p>${forAdministrators(id)}`,
  );
}

function notYours(id: string): PageAnswer {
  return other(404, html`<p>Nothing waits for you under this address.</p>${forAdministrators(id)}`);
}

function other(status: number, body: Html): PageAnswer {
  return { kind: 'page', status, html: page({ title: 'An agent waits for a person', body }) };
}

function forAdministrators(id: string): Html {
  return html`<p>An administrator sees it and decides with:</p>
<pre class="code" tabindex="0">sallyport approval show ${id}
sallyport approval approve ${id}
sallyport approval deny ${id}</pre>`;
}
