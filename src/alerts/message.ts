import type { AuditRecord } from '../audit/index.ts';
import type { Effect, Finding, Severity } from '../core/index.ts';
import type { AlertEvent } from './raise.ts';

/** What a sink gets about an alert, in the shape that Standard Webhooks recommends. */
export interface AlertMessage {
  readonly type: 'alert.raised' | 'alert.test';
  /** When the alert was raised; ISO 8601 in UTC. */
  readonly timestamp: string;
  readonly data: {
    /** The same at each attempt: drop what you have seen. */
    readonly alertId: string;
    readonly tenant: string;
    readonly severity: Severity;
    readonly title: string;
    /** What the gate did with the call. */
    readonly effect: Effect;
    readonly agentId: string | null;
    readonly sid: string | null;
    readonly callId: string | null;
    readonly repeats: number;
    readonly findings: readonly Finding[];
    /** Where the alert stands in the audit log; null for a test. */
    readonly record: { readonly node: string; readonly sequence: number; readonly hash: string } | null;
  };
}

export type AlertRecord = AuditRecord & { readonly event: AlertEvent };

export function isAlertRecord(record: AuditRecord): record is AlertRecord {
  return record.event.type === 'alert.raised';
}

export function messageOf({ event, node, sequence, hash }: AlertRecord): AlertMessage {
  const { alertId, severity, title, effect, agentId, sid, callId, repeats, findings } = event.data;
  return {
    type: 'alert.raised',
    timestamp: new Date(event.at).toISOString(),
    data: {
      alertId,
      tenant: event.tenant,
      severity,
      title,
      effect,
      agentId,
      sid,
      callId,
      repeats,
      findings,
      record: { node, sequence, hash },
    },
  };
}

/** A message that says it is a test, for an administrator who has set up a sink. */
export function testMessage(o: {
  readonly alertId: string;
  readonly tenant: string;
  readonly now: number;
}): AlertMessage {
  return {
    type: 'alert.test',
    timestamp: new Date(o.now).toISOString(),
    data: {
      alertId: o.alertId,
      tenant: o.tenant,
      severity: 'low',
      title: 'Test alert: this sink works.',
      effect: 'allow',
      agentId: null,
      sid: null,
      callId: null,
      repeats: 0,
      findings: [],
      record: null,
    },
  };
}
