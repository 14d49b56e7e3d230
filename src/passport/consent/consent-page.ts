import { html, type PageAnswer, type PageRequest, page } from '../../people/index.ts';
import type { ToolCallDetail } from '../../proof/index.ts';
import { formTarget } from './answer-url.ts';
import type { FoundClient } from './client-finder.ts';
import { lifetimeChoices, usualLifetime } from './lifetimes.ts';
import type { AnswerWay } from './questions.ts';
import { isLoopback } from './redirect-uri.ts';
import { detailWords, lifetimeWords, scopeWords } from './words.ts';

/** What the page shows of a question. */
export interface Shown {
  readonly client: FoundClient;
  readonly way: AnswerWay;
  readonly scopes: readonly string[];
  readonly details: readonly ToolCallDetail[];
  readonly audience: string;
  readonly longestGrantSeconds: number;
}

/** Who asks, what it may do, where, for how long. Everything that the agent says of itself is marked as its own words. */
export function consentPage(request: PageRequest, shown: Shown, fault: string | null): PageAnswer {
  const { client, way, scopes, details, audience, longestGrantSeconds } = shown;
  const { agent, claimedName } = client;
  const usual = usualLifetime(longestGrantSeconds);
  const target = way.kind === 'code' ? formTarget(way.redirectUri) : null;
  const body = html`${fault !== null && html`<p class="fault" role="alert">${fault}</p>`}
<p>The agent <strong>${agent.name}</strong> of <strong>${agent.owner}</strong> wants to act in your name, as
<span class="code">${request.signedIn?.user.name ?? ''}</span>.</p>
<dl>
${claimedName !== null && html`<dt>It calls itself</dt><dd>“${claimedName}” (its own words)</dd>`}
${agent.purpose !== null && html`<dt>What it is for</dt><dd>${agent.purpose}</dd>`}
<dt>Its id</dt><dd class="code">${client.clientId}</dd>
${whereTo(way)}
<dt>What it acts on</dt><dd class="code">${audience}</dd>
</dl>
<form method="post">
<input type="hidden" name="csrf" value="${request.csrf}">
<fieldset><legend>It may use</legend>
${scopes.map((scope) => html`<label><input type="checkbox" name="scope" value="${scope}" checked> ${scopeWords(scope)}</label>`)}
</fieldset>
${
  details.length > 0 &&
  html`<fieldset><legend>And there, nothing but</legend>
${details.map((detail, index) => html`<label><input type="checkbox" name="detail" value="${index}" checked> ${detailWords(detail)}</label>`)}
</fieldset>`
}
<label>For how long <select name="lifetime">
${lifetimeChoices(longestGrantSeconds).map((seconds) =>
  seconds === usual
    ? html`<option value="${seconds}" selected>${lifetimeWords(seconds)}</option>`
    : html`<option value="${seconds}">${lifetimeWords(seconds)}</option>`,
)}
</select></label>
<p class="note">You or an administrator can end it before. Take off what it does not need.</p>
<button name="decision" value="deny">Deny</button>
<button class="main" name="decision" value="allow">Allow</button>
</form>`;
  return {
    kind: 'page',
    status: fault === null ? 200 : 400,
    html: page({ title: 'May this agent act for you?', body }),
    ...(target === null ? {} : { formAction: [target] }),
  };
}

function whereTo(way: AnswerWay) {
  if (way.kind === 'device') {
    return html`<dt>How it asks</dt><dd>By the code that you typed. Go on only if you began this yourself, on a device in
front of you: whoever sent you the code would get what you allow.</dd>`;
  }
  const { host } = new URL(way.redirectUri);
  if (isLoopback(way.redirectUri)) {
    return html`<dt>You go back to</dt><dd>a program on this machine (<span class="code">${host}</span>). Any program here could
say that it is this agent: go on only if you began this yourself.</dd>`;
  }
  return html`<dt>You go back to</dt><dd class="code">${host}</dd>`;
}
