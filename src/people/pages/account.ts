import { html, page } from './html.ts';
import type { Page } from './page.ts';

/** What somebody who is signed in sees of their own account. */
export const accountPage: Page = {
  path: /^\/account$/,
  methods: ['GET'],
  async answer({ signedIn, csrf }) {
    if (signedIn === null) return { kind: 'redirect', to: '/signin?continue=/account' };
    return {
      kind: 'page',
      html: page({
        title: signedIn.user.displayName,
        body: html`<p>You are signed in as <span class="code">${signedIn.user.name}</span>.</p>
<form method="post" action="/signout">
<input type="hidden" name="csrf" value="${csrf}">
<button>Sign out</button>
</form>`,
      }),
    };
  },
};
