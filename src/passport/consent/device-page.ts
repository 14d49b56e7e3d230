import { type Clock, RateLimiter } from '../../core/index.ts';
import { html, type Page, type PageAnswer, type PageRequest, page, tooMany } from '../../people/index.ts';
import { PATHS } from '../metadata.ts';
import type { DeviceRequestStore } from '../person-grants/store.ts';
import type { Questions } from './questions.ts';
import { readUserCode } from './user-code.ts';

/** Wrong codes of one person, and from one network: RFC 8628 section 5.1 reckons with a handful. */
const USER_LIMIT = { perSecond: 1 / 60, burst: 5 };
const NETWORK_LIMIT = { perSecond: 1 / 10, burst: 30 };

export interface DevicePageOptions {
  readonly tenant: string;
  readonly store: DeviceRequestStore;
  readonly questions: Questions;
  readonly clock: Clock;
  readonly hashOf: (label: 'user-code', code: string) => string;
}

/** Where somebody who is signed in types the code that a device shows (RFC 8628 section 3.3). */
export function devicePage(o: DevicePageOptions): Page {
  const users = new RateLimiter(USER_LIMIT);
  const networks = new RateLimiter(NETWORK_LIMIT);
  return {
    path: new RegExp(`^${PATHS.device}$`),
    methods: ['GET', 'POST'],
    async answer(request) {
      const { signedIn, network } = request;
      const typed =
        request.method === 'POST' ? request.form.get('user_code') : request.query.get('user_code');
      const code = readUserCode(typed ?? '');
      if (signedIn === null) {
        const next = code === null ? PATHS.device : `${PATHS.device}?user_code=${code}`;
        return { kind: 'redirect', to: `/signin?continue=${encodeURIComponent(next)}` };
      }
      if (request.method === 'GET') return codeForm(request, code ?? '', null);
      const now = o.clock.now();
      const wait = Math.max(users.take(signedIn.user.id, now), networks.take(network, now));
      if (wait > 0) return tooMany(wait);
      const id = code === null ? null : await ask(code, request, o);
      if (id === null) return codeForm(request, '', 'No device waits with this code. Look at it again.');
      users.giveBack(signedIn.user.id);
      networks.giveBack(network);
      return { kind: 'redirect', to: `/consent/${id}` };
    },
  };
}

/** The question of the device that waits with this code; null: there is none. */
async function ask(code: string, { browser }: PageRequest, o: DevicePageOptions): Promise<string | null> {
  const { tenant, store, questions, clock } = o;
  const found = await store.byUserCode(tenant, o.hashOf('user-code', code), clock.now());
  if (found?.status !== 'pending') return null;
  const { codeHash, agentId, scope, audience, asked } = found;
  return questions.ask(
    {
      way: { kind: 'device', codeHash },
      clientId: agentId,
      agentId,
      scope,
      audience,
      asked,
      signedInAfter: 0,
    },
    browser,
  );
}

function codeForm(request: PageRequest, code: string, fault: string | null): PageAnswer {
  return {
    kind: 'page',
    status: fault === null ? 200 : 400,
    html: page({
      title: 'Let a device go on',
      body: html`${fault !== null && html`<p class="fault" role="alert">${fault}</p>`}
<p>Type the code that your device shows. If somebody sent you a code, stop here.</p>
<form method="post" action="${PATHS.device}">
<input type="hidden" name="csrf" value="${request.csrf}">
<label>Code <input type="text" name="user_code" value="${code}" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="12" required></label>
<button class="main">Go on</button>
</form>`,
    }),
  };
}
