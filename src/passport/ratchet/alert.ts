import { type AuditEvent, newId } from '../../core/index.ts';

/** What people are told when two use one line of keys. */
export function clonedKeyAlert(o: {
  readonly tenant: string;
  readonly agentId: string;
  readonly owner: string;
  readonly kid: string;
  readonly now: number;
}): AuditEvent {
  const title = 'A key of an agent was copied: it was used after it had given way';
  return {
    type: 'alert.raised',
    tenant: o.tenant,
    at: o.now,
    data: {
      alertId: newId('alert', o.now),
      severity: 'critical',
      title,
      callId: null,
      sid: null,
      agentId: o.agentId,
      effect: 'deny',
      findings: [
        {
          check: 'identity.key_cloned',
          title,
          severity: 'critical',
          score: 1,
          evidence: `agent ${o.agentId} of ${o.owner}, line of keys ${o.kid}; the agent is quarantined`,
          references: ['OWASP-ASI:ASI03'],
        },
      ],
      repeats: 0,
    },
  };
}
