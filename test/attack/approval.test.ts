import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ApprovalBinding,
  Approvals,
  approvalDigest,
  type HttpBinding,
} from '../../src/approvals/index.ts';
import type { Subject } from '../../src/core/index.ts';
import { openStorage, type Storage } from '../../src/storage/index.ts';

/** An agent that has one approval and wants more out of it; a person whose answer comes twice; two nodes. */

const subject: Subject = { tenant: 't', agentId: 'a', owner: 'o', user: null, sid: 's1', chain: ['h'] };
const payment: HttpBinding = {
  kind: 'http',
  tenant: 't',
  sid: 's1',
  agentId: 'a',
  method: 'POST',
  url: 'https://pay.example/v1/transfers?to=anna',
  bodyDigest: 'digest-of-10-euro',
  headers: [['idempotency-key', 'k1']],
  service: 'pay',
  credential: { name: 'pay', version: 1 },
};

let folder: string;
let storage: Storage;
let now: number;
let refuseRecords: boolean;
/** Two nodes: rooms of their own over one store. */
let nodes: readonly [Approvals, Approvals];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-approval-attack-'));
  now = 1_000_000;
  refuseRecords = false;
  await start();
});
afterEach(async () => {
  await storage.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  storage = await openStorage({ kind: 'sqlite', file: join(folder, 'test.db'), durability: 'process' });
  nodes = [openNode(), openNode()];
}

function openNode(): Approvals {
  return new Approvals({
    store: storage.approvals,
    clock: { now: () => now },
    audit: async () => {
      if (refuseRecords) throw new Error('the log is full');
    },
    lifetimeMs: 600_000,
  });
}

function node(index: number): Approvals {
  return nodes[index === 0 ? 0 : 1];
}

async function approved(binding: ApprovalBinding = payment): Promise<string> {
  const { id } = await node(0).request({ subject, binding, shown: {} });
  await node(0).decide({ tenant: 't', id, status: 'approved', by: 'anna', reason: null });
  return id;
}

describe('an approval', () => {
  it.each<[string, Partial<HttpBinding>]>([
    ['another body', { bodyDigest: 'digest-of-10000-euro' }],
    ['no body', { bodyDigest: null }],
    ['another query', { url: 'https://pay.example/v1/transfers?to=mallory' }],
    ['another host', { url: 'https://pay2.example/v1/transfers?to=anna' }],
    ['another method', { method: 'PUT' }],
    ['another value of a bound header', { headers: [['idempotency-key', 'k2']] }],
    [
      'a bound header twice',
      {
        headers: [
          ['idempotency-key', 'k1'],
          ['idempotency-key', 'k2'],
        ],
      },
    ],
    ['a bound header left out', { headers: [] }],
    ['a header whose name and value are cut elsewhere', { headers: [['idempotency-keyk', '1']] }],
    ['another service', { service: 'pay2' }],
    ['a rotated credential', { credential: { name: 'pay', version: 2 } }],
    ['a version that runs into the name', { credential: { name: 'pay@1', version: 1 } }],
    ['another session', { sid: 's2' }],
    ['another agent of the session, to which rights were passed on', { agentId: 'b' }],
    ['another tenant', { tenant: 'u' }],
  ])('is worth nothing for %s', async (_, change) => {
    const id = await approved();
    const digest = approvalDigest({ ...payment, ...change });
    await expect(node(0).use({ tenant: 't', id, digest })).rejects.toMatchObject({
      code: 'approval_mismatch',
    });
    const found = await node(0).find({ tenant: change.tenant ?? 't', sid: change.sid ?? 's1', digest });
    expect(found).toBeNull();
    // The failed attempt has not used it up for the call that it is for.
    expect((await node(0).use({ tenant: 't', id, digest: approvalDigest(payment) })).id).toBe(id);
  });

  it('of a tool is worth nothing for other arguments, whatever their JSON looks like', async () => {
    const tool = {
      kind: 'tool',
      tenant: 't',
      sid: 's1',
      agentId: 'a',
      tool: 'transfer',
      args: { amount: 10, to: 'anna' },
    } as const;
    const id = await approved(tool);
    for (const args of [
      { amount: '10', to: 'anna' },
      { amount: 10, to: 'anna', also: null },
      [10, 'anna'],
      { amount: 100, to: 'anna' },
    ]) {
      const digest = approvalDigest({ ...tool, args });
      await expect(node(0).use({ tenant: 't', id, digest })).rejects.toMatchObject({
        code: 'approval_mismatch',
      });
    }
    const same = approvalDigest({ ...tool, args: { to: 'anna', amount: 10.0 } });
    expect((await node(0).use({ tenant: 't', id, digest: same })).digest).toBe(same);
  });

  it('is used once by twenty calls on two nodes at the same moment', async () => {
    const id = await approved();
    const digest = approvalDigest(payment);
    const uses = Array.from({ length: 20 }, (_, index) => node(index % 2).use({ tenant: 't', id, digest }));
    const results = await Promise.allSettled(uses);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(results.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))).toEqual(
      Array.from({ length: 19 }, () => 'approval_expired'),
    );
  });

  it('of another tenant does not exist', async () => {
    const id = await approved();
    const digest = approvalDigest(payment);
    await expect(node(0).use({ tenant: 'u', id, digest })).rejects.toMatchObject({ code: 'not_found' });
    const answer = { tenant: 'u', id, status: 'denied', by: 'mallory', reason: null } as const;
    await expect(node(0).decide(answer)).rejects.toMatchObject({ code: 'not_found' });
    expect(await node(0).get('u', id)).toBeNull();
  });

  it('that could not be recorded as used opens nothing', async () => {
    const id = await approved();
    refuseRecords = true;
    await expect(node(0).use({ tenant: 't', id, digest: approvalDigest(payment) })).rejects.toThrow(
      'the log is full',
    );
    refuseRecords = false;
    await expect(node(0).use({ tenant: 't', id, digest: approvalDigest(payment) })).rejects.toMatchObject({
      code: 'approval_expired',
    });
  });
});

describe('a decision', () => {
  it('is one, when a yes and a no come from two nodes at once, and asking again changes no denial', async () => {
    const { id } = await node(0).request({ subject, binding: payment, shown: {} });
    const answers = Array.from({ length: 10 }, (_, index) =>
      node(index % 2).decide({
        tenant: 't',
        id,
        status: index % 2 === 0 ? 'denied' : 'approved',
        by: `p${index}`,
        reason: null,
      }),
    );
    const results = await Promise.allSettled(answers);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const decided = await node(1).get('t', id);
    for (let count = 0; count < 5; count++)
      expect(await node(count % 2).request({ subject, binding: payment, shown: {} })).toEqual(decided);
  });

  it('made on another node reaches who waits', async () => {
    const { id } = await node(0).request({ subject, binding: payment, shown: {} });
    const waiting = node(0).wait({ tenant: 't', id, timeoutMs: 60_000 });
    await node(1).decide({ tenant: 't', id, status: 'denied', by: 'anna', reason: 'no' });
    expect(await waiting).toMatchObject({ status: 'denied', reason: 'no' });
  });

  it('outlives the gate', async () => {
    const id = await approved();
    await storage.close();
    await start();
    expect((await node(1).use({ tenant: 't', id, digest: approvalDigest(payment) })).id).toBe(id);
  });
});

describe('an approval that needs two people', () => {
  const twice = { ...payment, approvers: 2 } as const;
  const digest = approvalDigest(twice);
  const ask = async () => (await node(0).request({ subject, binding: twice, shown: {} })).id;
  const yes = (id: string, by: string, o: { at?: number; principal?: string; since?: number } = {}) => {
    const approver = {
      by,
      principal: o.principal ?? by,
      ...(o.since === undefined ? {} : { since: o.since }),
    };
    return node(o.at ?? 0).decide({ tenant: 't', id, status: 'approved', reason: null, ...approver });
  };

  it('is opened by the second yes, not by the first', async () => {
    const id = await ask();
    expect(await yes(id, 'anna')).toMatchObject({ status: 'pending', first: { by: 'anna' } });
    await expect(node(0).use({ tenant: 't', id, digest })).rejects.toMatchObject({
      code: 'approval_required',
    });
    expect(await yes(id, 'bert', { at: 1 })).toMatchObject({ status: 'approved', decidedBy: 'bert' });
    expect((await node(0).use({ tenant: 't', id, digest })).id).toBe(id);
  });

  it('is not opened by one person twice, whatever name they go by, nor by twenty of their answers at once', async () => {
    const id = await ask();
    await yes(id, 'anna', { principal: 'token_1' });
    const again = Array.from({ length: 20 }, (_, at) =>
      yes(id, `anna ${at}`, { at: at % 2, principal: 'token_1' }),
    );
    const results = await Promise.allSettled(again);
    expect(results.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : ['yes']))).toEqual(
      Array.from({ length: 20 }, () => 'conflict'),
    );
    expect(await node(0).get('t', id)).toMatchObject({ status: 'pending' });
  });

  it('is not opened by a token that was made after the call was held', async () => {
    const id = await ask();
    await yes(id, 'anna', { since: 1 });
    now += 1000;
    await expect(yes(id, 'the second token of anna', { since: now })).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(await yes(id, 'bert', { since: 1 })).toMatchObject({ status: 'approved' });
  });

  it('counts one first yes of twenty that different people give at two nodes at once, and opens with the next', async () => {
    const id = await ask();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, at) => yes(id, `p${at}`, { at: at % 2 })),
    );
    const given = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const record = await node(0).get('t', id);
    // However the answers met: it is open only with two different people on it.
    expect(given.length).toBeGreaterThan(0);
    if (record?.status === 'approved') expect(record.first?.by).not.toBe(record.decidedBy);
    else expect(await yes(id, 'zoe')).toMatchObject({ status: 'approved' });
  });

  it('is over with one no, before or after the first yes', async () => {
    const id = await ask();
    await yes(id, 'anna');
    await node(1).decide({ tenant: 't', id, status: 'denied', by: 'bert', reason: 'no' });
    await expect(yes(id, 'carl')).rejects.toMatchObject({ code: 'conflict' });
    await expect(node(0).use({ tenant: 't', id, digest })).rejects.toMatchObject({ code: 'approval_denied' });
  });

  it('is not opened by one that needed one person, when policy asks for two now', async () => {
    const id = await approved();
    expect(digest).not.toBe(approvalDigest(payment));
    expect(await node(0).find({ tenant: 't', sid: 's1', digest })).toBeNull();
    await expect(node(0).use({ tenant: 't', id, digest })).rejects.toMatchObject({
      code: 'approval_mismatch',
    });
  });

  it('is not decided by the store with one yes, whoever asks it', async () => {
    const id = await ask();
    const answer = { tenant: 't', id, status: 'approved', by: 'mallory', reason: null } as const;
    expect(await storage.approvals.decide(answer, now)).toBe(false);
    const claimed = { by: 'nobody', principal: 'nobody', at: now };
    expect(await storage.approvals.decide({ ...answer, after: claimed }, now)).toBe(false);
    expect(await node(0).get('t', id)).toMatchObject({ status: 'pending' });
  });

  it('can not be given by a yes that comes after its time, and the first one alone is worth nothing then', async () => {
    const id = await ask();
    await yes(id, 'anna');
    now += 600_000;
    await expect(yes(id, 'bert')).rejects.toMatchObject({ code: 'approval_expired' });
    await expect(node(0).use({ tenant: 't', id, digest })).rejects.toMatchObject({
      code: 'approval_expired',
    });
  });
});

it('an approval that ran out between the yes and the call opens nothing', async () => {
  const id = await approved();
  now += 5 * 60 * 1000;
  await expect(node(0).use({ tenant: 't', id, digest: approvalDigest(payment) })).rejects.toMatchObject({
    code: 'approval_expired',
  });
});

it('twenty calls that ask at once put one question to a person', async () => {
  const asked = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      node(index % 2).request({ subject, binding: payment, shown: {} }),
    ),
  );
  expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
});
