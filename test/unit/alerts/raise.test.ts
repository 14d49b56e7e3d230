import { expect, test } from 'vitest';
import { Deduplicator, raise } from '../../../src/alerts/index.ts';
import type { Finding } from '../../../src/core/index.ts';
import { actor, call, finding } from './support.ts';

const now = 1_750_000_000_000;

function alertOf(findings: readonly Finding[], o: { at?: number; sid?: string; tenant?: string } = {}) {
  const alert = raise({
    call,
    actor: { ...actor, sid: o.sid ?? actor.sid },
    findings,
    effect: 'deny',
    now: o.at ?? now,
    tenant: o.tenant ?? 'default',
  });
  if (alert === null) throw new Error('no alert');
  return alert;
}

test('an alert tells what was found, about which call and whose, the worst first', () => {
  const mild = finding({ check: 'rate.burst', title: 'Many calls', severity: 'medium' });
  expect(alertOf([mild, finding()])).toEqual({
    type: 'alert.raised',
    tenant: 'default',
    at: now,
    data: {
      alertId: expect.stringMatching(/^alert_[0-9a-z]{26}$/),
      severity: 'critical',
      title: 'A decoy was used (and 1 more)',
      callId: 'call_1',
      sid: 'sid_1',
      agentId: 'agent_1',
      effect: 'deny',
      findings: [finding(), mild],
      repeats: 0,
    },
  });
});

test('the same findings about the same call give the same alert, others another', () => {
  expect(alertOf([finding()])).toEqual(alertOf([finding()]));
  const ids = [
    alertOf([finding()]),
    alertOf([finding({ evidence: 'other' })]),
    alertOf([finding()], { sid: 'sid_2' }),
    alertOf([finding()], { tenant: 'other' }),
    alertOf([finding()], { at: now + 1 }),
  ].map(({ data }) => data.alertId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('nothing found, or only mild things about an allowed call, is no alert', () => {
  const about = { call, actor, now, tenant: 'default' };
  const low = finding({ severity: 'low' });
  expect(raise({ ...about, findings: [], effect: 'deny' })).toBeNull();
  expect(raise({ ...about, findings: [low], effect: 'allow' })).toBeNull();
  expect(raise({ ...about, findings: [low], effect: 'deny' })).not.toBeNull();
  expect(raise({ ...about, findings: [finding({ severity: 'medium' })], effect: 'allow' })).not.toBeNull();
});

test('an alert without a call or an actor is still one', () => {
  const alert = raise({
    call: null,
    actor: null,
    findings: [finding()],
    effect: 'deny',
    now,
    tenant: 'default',
  });
  expect(alert?.data).toMatchObject({ callId: null, sid: null, agentId: null });
});

test('however much was found, the record stays small', () => {
  expect(alertOf(Array.from({ length: 500 }, () => finding())).data.findings.length).toBe(32);
});

test('the same check in the same session is raised once a window, and then with its count', () => {
  const deduplicator = new Deduplicator({ windowMs: 1000 });
  expect(deduplicator.admit(alertOf([finding()]))?.data.repeats).toBe(0);
  for (let at = 1; at <= 5; at++)
    expect(deduplicator.admit(alertOf([finding()], { at: now + at }))).toBeNull();
  expect(deduplicator.admit(alertOf([finding()], { at: now + 1000 }))?.data.repeats).toBe(5);
  expect(deduplicator.admit(alertOf([finding()], { at: now + 2000 }))?.data.repeats).toBe(0);
});

test('another session, tenant or check, or a worse severity, is news', () => {
  const deduplicator = new Deduplicator({ windowMs: 1000 });
  const mild = finding({ severity: 'medium' });
  deduplicator.admit(alertOf([mild]));
  expect(deduplicator.admit(alertOf([mild], { sid: 'sid_2' }))).not.toBeNull();
  expect(deduplicator.admit(alertOf([mild], { tenant: 'other' }))).not.toBeNull();
  expect(deduplicator.admit(alertOf([mild, finding({ check: 'rate.burst' })]))).not.toBeNull();
  expect(deduplicator.admit(alertOf([finding({ severity: 'high' })]))).not.toBeNull();
  expect(deduplicator.admit(alertOf([mild]))).toBeNull();
});

test('an agent that invents sessions can’t make it remember without end', () => {
  const deduplicator = new Deduplicator({ capacity: 100 });
  for (let session = 0; session < 1000; session++) {
    expect(deduplicator.admit(alertOf([finding()], { sid: `sid_${session}` }))).not.toBeNull();
  }
  // The oldest is forgotten, and so raised again: an alert too many, never one too few.
  expect(deduplicator.admit(alertOf([finding()], { sid: 'sid_0' }))).not.toBeNull();
  expect(deduplicator.admit(alertOf([finding()], { sid: 'sid_999' }))).toBeNull();
});
