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

it('twenty calls that ask at once put one question to a person', async () => {
  const asked = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      node(index % 2).request({ subject, binding: payment, shown: {} }),
    ),
  );
  expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
});
