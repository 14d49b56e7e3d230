import { type AuditEvent, newId } from '../../core/index.ts';
import type { PersonGrantRecord } from './store.ts';

/** That it is over, and why. */
export function grantEndedEvent(grant: PersonGrantRecord): AuditEvent {
  const { tenant, id, userId, agentId, endedBy, endReason, endedAt } = grant;
  const changes = { user: userId, agent: agentId, reason: endReason };
  return { type: 'grant.ended', tenant, at: endedAt ?? 0, data: { id, by: endedBy ?? '', changes } };
}

/** What people are told when something that is good once was used twice: one of the two has a copy. */
export function reuseAlert(grant: PersonGrantRecord, what: string, now: number): AuditEvent {
  const title = `A copy of what an agent got in a person's name was used: the ${what} came twice`;
  return {
    type: 'alert.raised',
    tenant: grant.tenant,
    at: now,
    data: {
      alertId: newId('alert', now),
      severity: 'high',
      title,
      callId: null,
      sid: grant.sid,
      agentId: grant.agentId,
      effect: 'deny',
      findings: [
        {
          check: 'identity.grant_reused',
          title,
          severity: 'high',
          score: 1,
          evidence: `agent ${grant.agentId} of ${grant.owner}, in the name of ${grant.userId}; grant ${grant.id} and its passports have ended`,
          references: ['OWASP-ASI:ASI03', 'RFC 9700 section 4.14'],
        },
      ],
      repeats: 0,
    },
  };
}
