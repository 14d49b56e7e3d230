import { createHash } from 'node:crypto';
import { canonicalJson } from '../audit/index.ts';
import type { ActorSummary, AuditEvent, CallSummary, Effect, Finding } from '../core/index.ts';
import { gravest, severityRank } from './severity.ts';

/** The event that an alert is: a record of the audit log. */
export type AlertEvent = Extract<AuditEvent, { readonly type: 'alert.raised' }>;

/** More than any check gives; what an agent can cause must not make records without end. */
const MAX_FINDINGS = 32;

/**
 * Findings that are worth a person's time, as an event for the audit log; null when they are not: none at all, or
 * only mild ones about a call that was allowed. Pure: the same findings about the same call give the same alert id.
 */
export function raise(o: {
  readonly call: CallSummary | null;
  readonly actor: ActorSummary | null;
  readonly findings: readonly Finding[];
  readonly effect: Effect;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly tenant: string;
}): AlertEvent | null {
  const findings = o.findings
    .toSorted((one, other) => severityRank(other.severity) - severityRank(one.severity))
    .slice(0, MAX_FINDINGS);
  const worst = gravest(findings);
  if (worst === null || (worst.severity === 'low' && o.effect === 'allow')) return null;
  const about = { callId: o.call?.id ?? null, sid: o.actor?.sid ?? null, agentId: o.actor?.agentId ?? null };
  return {
    type: 'alert.raised',
    tenant: o.tenant,
    at: o.now,
    data: {
      alertId: alertId(o.now, canonicalJson({ ...about, tenant: o.tenant, findings })),
      severity: worst.severity,
      title: titleOf(worst, findings.length),
      ...about,
      effect: o.effect,
      findings,
      repeats: 0,
    },
  };
}

function titleOf(worst: Finding, findings: number): string {
  return findings === 1 ? worst.title : `${worst.title} (and ${findings - 1} more)`;
}

/** The form of core's `newId`: kind, sortable time, and here a digest of the content instead of chance. */
function alertId(now: number, content: string): string {
  const digest = createHash('sha256').update(content).digest('hex');
  const rest = BigInt(`0x${digest}`).toString(36).slice(0, 16);
  return `alert_${now.toString(36).padStart(10, '0')}${rest}`;
}
