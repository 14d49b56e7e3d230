import type { Grant, GrantRequest } from '../grants/grant.ts';
import { OAuthFault } from '../oauth-fault.ts';
import { credentialOf } from '../pepper.ts';
import { type ForPersonOptions, invalid, issueFor, Overtaken, overtaken } from './issue-for-person.ts';
import { isCurrent } from './refresh-token.ts';
import type { PersonGrantRecord } from './store.ts';

export const REFRESH_TOKEN = 'refresh_token';
const WHAT = 'refresh token';

/**
 * Another passport of what a person allowed, and another refresh token in place of the one that was shown (RFC 9700
 * section 4.14). One that gave way already has a copy, or is one: the grant and its passports end.
 */
export function refreshGrant(o: ForPersonOptions): Grant {
  return async (request) => {
    const { form, client, proof } = request;
    const shown = o.refreshTokens.read(form.required('refresh_token'));
    if (shown === null) throw invalid(WHAT);
    return o.turns.take(shown.grantId, async () => {
      const grant = await o.store.get(o.tenant, shown.grantId);
      if (grant === null || grant.agentId !== client.agent.id || grant.status !== 'active')
        throw invalid(WHAT);
      if (grant.expiresAt <= o.clock.now()) throw invalid(WHAT);
      if (!isCurrent(grant, shown)) {
        if (shown.serial < grant.refreshSerial) await o.room.reused(grant, WHAT);
        throw invalid(WHAT);
      }
      if (grant.boundTo !== null && grant.boundTo !== (proof?.jkt ?? proof?.x5t)) {
        throw new OAuthFault('invalid_grant', 'the refresh token is bound to another key');
      }
      const asked = form.one('scope');
      if (asked !== null) await o.issuing.noticeAsked(client.agent, asked);
      const next = o.refreshTokens.make(grant, grant.refreshSerial + 1);
      const to = { credential: credentialOf(client.by), refreshHash: next.hash };
      const issued = await issueFor(request, grant, {
        ...o,
        grantName: REFRESH_TOKEN,
        scope: scopeOf(request, grant),
        until: grant.expiresAt,
        also: async ({ personGrants }, now) => {
          if (!(await personGrants.rotate(grant, to, now))) throw new Overtaken();
        },
      }).catch((cause: unknown) => overtaken(cause, grant, { ...o, what: WHAT }));
      return { ...issued, refresh_token: next.token };
    });
  };
}

/**
 * What is asked for, or all that the person allowed and the agent is still registered for (RFC 6749 section 6); what the
 * answer names is what it is.
 */
function scopeOf({ form, client }: GrantRequest, grant: PersonGrantRecord): string {
  const allowed = grant.scope.split(' ');
  const asked = form.one('scope')?.split(' ');
  if (asked !== undefined) {
    if (asked.some((scope) => !allowed.includes(scope))) {
      throw new OAuthFault('invalid_scope', 'the scope is more than the person allowed');
    }
    return asked.join(' ');
  }
  const left = allowed.filter((scope) => client.agent.scopes.includes(scope));
  if (left.length === 0)
    throw new OAuthFault('invalid_scope', 'the client has none of these scopes any more');
  return left.join(' ');
}
