import { html, type PageAnswer, page } from '../../people/index.ts';
import type { OAuthFault } from '../oauth-fault.ts';

interface Target {
  readonly redirectUri: string;
  readonly state: string | null;
}

/** The redirect URI with the answer in its query; who answers stands in it, against mix-ups (RFC 9207). */
function answerUrl(target: Target, issuer: string, members: Readonly<Record<string, string>>): string {
  const url = new URL(target.redirectUri);
  for (const [name, value] of Object.entries(members)) url.searchParams.append(name, value);
  if (target.state !== null) url.searchParams.append('state', target.state);
  url.searchParams.append('iss', issuer);
  return url.href;
}

export function sendCode(target: Target, issuer: string, code: string): PageAnswer {
  return leaveFor(answerUrl(target, issuer, { code }));
}

export function sendFault(target: Target, issuer: string, { code, message }: OAuthFault): PageAnswer {
  return leaveFor(answerUrl(target, issuer, { error: code, error_description: message }));
}

/** Where a form of ours may lead beside ourselves, as a CSP source; null: CSP can't name it. */
export function formTarget(redirectUri: string): string | null {
  const { hostname, origin } = new URL(redirectUri);
  return isIpv6(hostname) ? null : origin;
}

/** CSP has no sources for IPv6 addresses, so there a page of ours leads on instead of the form that was sent. */
function leaveFor(to: string): PageAnswer {
  if (!isIpv6(new URL(to).hostname)) return { kind: 'redirect', to };
  const body = html`<p><a href="${to}">Go on</a></p>`;
  return { kind: 'page', html: page({ title: 'Back to the agent', body, refresh: to }) };
}

function isIpv6(hostname: string): boolean {
  return hostname.startsWith('[');
}
