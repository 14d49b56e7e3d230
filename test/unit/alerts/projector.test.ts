import { expect, test } from 'vitest';
import { raise } from '../../../src/alerts/index.ts';
import type { AlertRecord } from '../../../src/alerts/message.ts';
import { deliveriesFor } from '../../../src/alerts/projector.ts';
import { actor, call, finding, sinkRecord } from './support.ts';

function recordOf(severity: 'low' | 'medium' | 'high'): AlertRecord {
  const findings = [finding({ severity })];
  const event = raise({ call, actor, findings, effect: 'deny', now: 1000, tenant: 'default' });
  if (event === null) throw new Error('no alert');
  return { sequence: 7, node: 'node-1', previous: '', hash: '', event };
}

test('an alert goes to the active sinks of its tenant that want its severity, due at once', () => {
  const sinks = [
    sinkRecord({ id: 'exact', minSeverity: 'medium' }),
    sinkRecord({ id: 'milder', minSeverity: 'low' }),
    sinkRecord({ id: 'stricter', minSeverity: 'high' }),
    sinkRecord({ id: 'disabled', status: 'disabled' }),
    sinkRecord({ id: 'of another tenant', tenant: 'other' }),
  ];
  const record = recordOf('medium');
  expect(deliveriesFor(record, sinks)).toEqual(
    ['exact', 'milder'].map((sinkId) => ({
      sinkId,
      sequence: 7,
      alertId: record.event.data.alertId,
      attempts: 0,
      nextAttemptAt: 1000,
      status: 'pending',
      lastError: null,
    })),
  );
  expect(deliveriesFor(recordOf('low'), sinks).map(({ sinkId }) => sinkId)).toEqual(['milder']);
  expect(deliveriesFor(recordOf('high'), []).length).toBe(0);
});
