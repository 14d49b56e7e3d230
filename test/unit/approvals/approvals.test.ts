import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Approvals, approvalDigest, type HttpBinding } from '../../../src/approvals/index.ts';
import type { AuditEvent, Subject } from '../../../src/core/index.ts';
import { openStorage, type Storage } from '../../../src/storage/index.ts';

const subject: Subject = { tenant: 't', agentId: 'agent_1', owner: 'o', user: null, sid: 's1', chain: ['h'] };
const binding: HttpBinding = {
  kind: 'http',
  tenant: 't',
  sid: 's1',
  agentId: 'agent_1',
  method: 'POST',
  url: 'https://api.example/x?y=1',
  bodyDigest: 'abc',
  headers: [['x-a', '1']],
  service: 'api',
  credential: { name: 'key', version: 3 },
};
const digest = approvalDigest(binding);
const LIFETIME_MS = 600_000;

let folder: string;
let storage: Storage;
let now: number;
let events: AuditEvent[];
let approvals: Approvals;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-approvals-'));
  storage = await openStorage({ kind: 'sqlite', file: join(folder, 'test.db'), durability: 'process' });
  now = 1_000_000;
  events = [];
  approvals = new Approvals({
    store: storage.approvals,
    clock: { now: () => now },
    audit: async (event) => events.push(event),
    lifetimeMs: LIFETIME_MS,
  });
});
afterEach(async () => {
  await storage.close();
  await rm(folder, { recursive: true, force: true });
});

const ask = () => approvals.request({ subject, binding, shown: { what: 'POST' } });
const decide = (id: string, status: 'approved' | 'denied') =>
  approvals.decide({ tenant: 't', id, status, by: 'admin', reason: null });
const use = (id: string, wanted = digest) => approvals.use({ tenant: 't', id, digest: wanted });

describe('approvalDigest', () => {
  it('differs when anything that an approval is bound to differs', () => {
    const changes: Partial<HttpBinding>[] = [
      { tenant: 'u' },
      { sid: 's2' },
      { agentId: 'agent_2' },
      { method: 'PUT' },
      { url: 'https://api.example/x?y=2' },
      { bodyDigest: null },
      { headers: [] },
      { headers: [['x-a', '2']] },
      { service: 'other' },
      { credential: { name: 'key', version: 4 } },
      { credential: null },
    ];
    const digests = changes.map((change) => approvalDigest({ ...binding, ...change }));
    expect(new Set([digest, ...digests]).size).toBe(changes.length + 1);
  });

  it('tells fields apart wherever their borders are', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        const one = approvalDigest({ ...binding, method: a, url: b });
        expect(one).not.toBe(approvalDigest({ ...binding, method: c, url: d }));
      }),
    );
  });

  it('is the same for arguments in another order', () => {
    const tool = { kind: 'tool', tenant: 't', sid: 's', agentId: 'agent_1', tool: 'Bash' } as const;
    expect(approvalDigest({ ...tool, args: { a: 1, b: 2 } })).toBe(
      approvalDigest({ ...tool, args: { b: 2, a: 1 } }),
    );
    expect(approvalDigest({ ...tool, args: { a: 1 } })).not.toBe(approvalDigest({ ...tool, args: { a: 2 } }));
  });
});

describe('Approvals', () => {
  it('asks once for the same live call', async () => {
    const first = await ask();
    expect((await ask()).id).toBe(first.id);
    expect(events.map((event) => event.type)).toEqual(['approval.requested']);
  });

  it('lets an approved call pass exactly once, also when twenty try at once', async () => {
    const { id } = await ask();
    await decide(id, 'approved');
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => use(id)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    await expect(use(id)).rejects.toMatchObject({ code: 'approval_expired' });
    expect(events.map((event) => event.type)).toEqual([
      'approval.requested',
      'approval.approved',
      'approval.used',
    ]);
  });

  it('is worth nothing for another call, before a decision, after a denial, and after its time', async () => {
    const { id } = await ask();
    await expect(use(id)).rejects.toMatchObject({ code: 'approval_required' });
    await expect(use(id, 'other')).rejects.toMatchObject({ code: 'approval_mismatch' });
    await decide(id, 'denied');
    await expect(use(id)).rejects.toMatchObject({ code: 'approval_denied' });
    expect((await ask()).status).toBe('denied');
    now += LIFETIME_MS + 1;
    const again = await ask();
    expect(again.id).not.toBe(id);
    await decide(again.id, 'approved');
    now += LIFETIME_MS + 1;
    await expect(use(again.id)).rejects.toMatchObject({ code: 'approval_expired' });
  });

  it('is good for five minutes from the approval on, also when that came at the last moment or at once', async () => {
    const late = await ask();
    now += LIFETIME_MS - 1;
    await decide(late.id, 'approved');
    now += 4 * 60_000;
    expect((await use(late.id)).id).toBe(late.id);
    const early = await ask();
    await decide(early.id, 'approved');
    now += 5 * 60_000;
    await expect(use(early.id)).rejects.toMatchObject({ code: 'approval_expired' });
    const again = await ask();
    expect([again.id === early.id, again.status]).toEqual([false, 'pending']);
  });

  it('is decided once, in time, and only where it exists', async () => {
    const { id } = await ask();
    const both = await Promise.allSettled([decide(id, 'approved'), decide(id, 'denied')]);
    expect(both.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    await expect(decide('approval_none', 'approved')).rejects.toMatchObject({ code: 'not_found' });
    now += LIFETIME_MS + 1;
    const late = await ask();
    now += LIFETIME_MS + 1;
    await expect(decide(late.id, 'approved')).rejects.toMatchObject({ code: 'approval_expired' });
  });

  it('wakes who waits when a person decides', async () => {
    const { id } = await ask();
    const waiting = approvals.wait({ tenant: 't', id, timeoutMs: 60_000 });
    await decide(id, 'approved');
    expect((await waiting).status).toBe('approved');
  });

  it('ends a wait after its time and when the caller goes away', async () => {
    const { id } = await ask();
    expect((await approvals.wait({ tenant: 't', id, timeoutMs: 0 })).status).toBe('pending');
    const gone = new AbortController();
    const waiting = approvals.wait({ tenant: 't', id, timeoutMs: 60_000, signal: gone.signal });
    gone.abort();
    expect((await waiting).status).toBe('pending');
  });
});

describe('a log that takes no more records', () => {
  it('keeps a decision from being in force, now and after the log is mended', async () => {
    const { id } = await ask();
    const audited = approvals;
    approvals = new Approvals({
      store: storage.approvals,
      clock: { now: () => now },
      audit: () => Promise.reject(new Error('the disk is full')),
      lifetimeMs: LIFETIME_MS,
    });
    await expect(decide(id, 'approved')).rejects.toThrow('the disk is full');
    approvals = audited;
    expect(await approvals.get('t', id)).toMatchObject({ status: 'pending', decidedBy: null });
    await expect(use(id)).rejects.toMatchObject({ code: 'approval_required' });
    expect(await decide(id, 'approved')).toMatchObject({ status: 'approved' });
  });

  it('holds exactly the answer that counts when many people answer at the same moment', async () => {
    const { id } = await ask();
    const answers = Array.from({ length: 20 }, (_, at) => decide(id, at % 2 === 0 ? 'approved' : 'denied'));
    const ends = await Promise.allSettled(answers);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(events.map(({ type }) => type)).toEqual(['approval.requested', 'approval.approved']);
  });
});
