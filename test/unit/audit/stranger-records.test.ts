import { expect, it } from 'vitest';
import { type StrangerEvent, StrangerRecords } from '../../../src/audit/index.ts';
import type { AuditEvent } from '../../../src/core/index.ts';

function ledger() {
  const written: AuditEvent[] = [];
  let now = 1_000_000;
  const records = new StrangerRecords({
    append: async (event) => written.push(event),
    clock: { now: () => now },
    tenant: 'default',
    onFault: (fault) => {
      throw fault;
    },
  });
  const refuse = (error: string): StrangerEvent => ({
    type: 'passport.refused',
    tenant: 'default',
    at: now,
    data: { clientId: null, error, detail: null },
  });
  return {
    written,
    records,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    many: async (error: string, times: number) => {
      for (let at = 0; at < times; at++) await records.record(refuse(error));
    },
  };
}

it('records each refusal while they are few', async () => {
  const { written, records, many } = ledger();
  await many('invalid_client', 100);
  await records.flush();
  expect(written.map(({ type }) => type)).toEqual(Array(100).fill('passport.refused'));
});

it('counts what a flood brings beyond that, and records the count once', async () => {
  const { written, records, many } = ledger();
  await many('invalid_client', 5_000);
  expect(written.length).toBe(100);
  await records.flush();
  await records.flush();
  expect(written.slice(100)).toEqual([
    {
      type: 'refusals.counted',
      tenant: 'default',
      at: 1_000_000,
      data: { of: 'passport.refused', code: 'invalid_client', count: 4_900, since: 1_000_000 },
    },
  ]);
});

it('lets a flood of one kind hide no other kind', async () => {
  const { written, many } = ledger();
  await many('invalid_client', 1_000);
  await many('invalid_grant', 1);
  expect(written.at(-1)).toMatchObject({ data: { error: 'invalid_grant' } });
});

it('records one by one again when the flood is over', async () => {
  const { written, many, pass, records } = ledger();
  await many('invalid_client', 101);
  await records.flush();
  pass(3_000);
  await many('invalid_client', 4);
  expect(written.filter(({ type }) => type === 'passport.refused').length).toBe(103);
});

it('gives nothing for a clock that goes back', async () => {
  const { written, many, pass } = ledger();
  await many('invalid_client', 100);
  pass(-60_000);
  await many('invalid_client', 10);
  expect(written.length).toBe(100);
});

it('rejects when the log takes no records', async () => {
  const records = new StrangerRecords({
    append: () => Promise.reject(new Error('full')),
    clock: { now: () => 0 },
    tenant: 'default',
    onFault: () => {},
  });
  const data = { clientId: null, error: 'invalid_client', detail: null };
  await expect(records.record({ type: 'passport.refused', tenant: 'default', at: 0, data })).rejects.toThrow(
    'full',
  );
});
