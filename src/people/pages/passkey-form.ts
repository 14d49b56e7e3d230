import type { JsonObject } from '../../core/index.ts';
import { type Html, html } from './html.ts';

/** A form that brings a passkey's answer along as `credential`; its page needs `script: true`. */
export function passkeyForm(o: {
  readonly action: string;
  readonly csrf: string;
  readonly ticket: string;
  /** To make one, or to use one. */
  readonly ask: { readonly create: JsonObject } | { readonly get: JsonObject };
  readonly button: Html | string;
  readonly fields?: Html;
  readonly isMain?: boolean;
}): Html {
  const asked =
    'create' in o.ask
      ? html`data-create="${JSON.stringify(o.ask.create)}"`
      : html`data-get="${JSON.stringify(o.ask.get)}"`;
  return html`<form method="post" action="${o.action}" ${asked} hidden>
<input type="hidden" name="csrf" value="${o.csrf}">
<input type="hidden" name="ticket" value="${o.ticket}">
<input type="hidden" name="credential" value="">
${o.fields ?? null}
<p class="fault" role="alert"></p>
<button${o.isMain === true && html` class="main"`}>${o.button}</button>
</form>`;
}
