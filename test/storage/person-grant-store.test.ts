import { expect, test } from 'vitest';
import type { DeviceRequestRecord, PersonGrantRecord } from '../../src/passport/index.ts';
import { describeEachDialect } from './each-dialect.ts';

const grant = (changes: Partial<PersonGrantRecord> = {}): PersonGrantRecord => ({
  tenant: 'default',
  id: 'grant_1',
  userId: 'user_1',
  agentId: 'agent_1',
  owner: 'team-a',
  origin: 'code',
  scope: 'github:read',
  audience: 'https://gate.test',
  asked: {
    details: [{ type: 'tool_call', tool: 'repo.read' }],
    mayAct: null,
    maxDepth: 2,
    lifetimeSeconds: null,
  },
  sid: 'session_1',
  hop: 'hop_1',
  status: 'given',
  codeHash: 'code-1',
  code: { redirectUri: 'https://app.example/callback', codeChallenge: 'challenge', dpopJkt: null },
  boundTo: null,
  credential: null,
  refreshHash: null,
  refreshSerial: 0,
  lifetimeMs: 3_600_000,
  createdAt: 1_000,
  expiresAt: 61_000,
  usedAt: null,
  endedAt: null,
  endedBy: null,
  endReason: null,
  ...changes,
});

const device = (changes: Partial<DeviceRequestRecord> = {}): DeviceRequestRecord => ({
  tenant: 'default',
  codeHash: 'device-1',
  userCodeHash: 'user-code-1',
  agentId: 'agent_1',
  scope: 'github:read',
  audience: 'https://gate.test',
  asked: { details: null, mayAct: null, maxDepth: null, lifetimeSeconds: null },
  status: 'pending',
  grantId: null,
  intervalMs: 5_000,
  polledAt: null,
  createdAt: 1_000,
  expiresAt: 601_000,
  ...changes,
});

const FETCHED = { boundTo: 'key', credential: 'none', refreshHash: 'refresh-0', expiresAt: 3_601_000 };
const by = { by: 'admin', reason: 'test' };

describeEachDialect('grants of people', (database) => {
  test('one comes back as written, by id and by code, and lists are newest first', async () => {
    const { personGrants: grants } = await database.open();
    await grants.insert(grant());
    await grants.insert(
      grant({ id: 'grant_2', codeHash: null, code: null, origin: 'device', userId: 'user_2' }),
    );
    expect(await grants.get('default', 'grant_1')).toEqual(grant());
    expect(await grants.byCode('default', 'code-1')).toEqual(grant());
    expect(await grants.byCode('other', 'code-1')).toBeNull();
    const ids = async (filter: object) =>
      (await grants.list('default', { after: null, limit: 9, ...filter })).map(({ id }) => id);
    expect(await ids({})).toEqual(['grant_2', 'grant_1']);
    expect(await ids({ after: 'grant_2' })).toEqual(['grant_1']);
    expect(await ids({ userId: 'user_2' })).toEqual(['grant_2']);
    expect(await ids({ agentId: 'agent_1', liveAt: 61_000 })).toEqual([]);
    await expect(grants.insert(grant({ id: 'grant_3' }))).rejects.toThrow();
  });

  test('of twenty who fetch it at once one gets it, and nobody when its time is over', async () => {
    const { personGrants: grants } = await database.open();
    await grants.insert(grant());
    expect(await grants.fetch(grant(), FETCHED, 61_000)).toBe(false);
    const all = await Promise.all(Array.from({ length: 20 }, () => grants.fetch(grant(), FETCHED, 2_000)));
    expect(all.filter(Boolean)).toHaveLength(1);
    expect(await grants.get('default', 'grant_1')).toEqual(
      grant({ ...FETCHED, status: 'active', usedAt: 2_000 }),
    );
  });

  test('of twenty who renew with one refresh token one gets the next, and none after it has ended', async () => {
    const { personGrants: grants } = await database.open();
    await grants.insert(grant());
    const next = { credential: 'none', refreshHash: 'refresh-1' };
    expect(await grants.rotate(grant(), next, 2_000)).toBe(false);
    await grants.fetch(grant(), FETCHED, 2_000);
    const all = await Promise.all(Array.from({ length: 20 }, () => grants.rotate(grant(), next, 3_000)));
    expect(all.filter(Boolean)).toHaveLength(1);
    expect(await grants.get('default', 'grant_1')).toMatchObject({
      refreshHash: 'refresh-1',
      refreshSerial: 1,
      usedAt: 3_000,
    });
    await grants.end({ tenant: 'default', kind: 'hop', value: 'hop_1' }, by, 4_000);
    expect(await grants.rotate({ ...grant(), refreshSerial: 1 }, next, 5_000)).toBe(false);
  });

  test.each([
    { kind: 'hop', value: 'hop_1' },
    { kind: 'session', value: 'session_1' },
    { kind: 'user', value: 'user_1' },
    { kind: 'agent', value: 'agent_1' },
    { kind: 'owner', value: 'team-a' },
    { kind: 'credential', agentId: 'agent_1', value: 'key-1' },
  ] as const)('ends what a revocation of $kind hits, once, and nothing else', async (which) => {
    const { personGrants: grants } = await database.open();
    await grants.insert(grant());
    await grants.fetch(grant(), { ...FETCHED, credential: 'key-1' }, 2_000);
    const others = { userId: 'user_2', agentId: 'agent_2', owner: 'team-b', sid: 'session_2', hop: 'hop_2' };
    await grants.insert(grant({ ...others, id: 'grant_2', codeHash: 'code-2', credential: 'key-1' }));
    await grants.insert(grant({ id: 'grant_3', codeHash: 'code-3', tenant: 'other', credential: 'key-1' }));
    const ended = await grants.end({ tenant: 'default', ...which }, by, 4_000);
    expect(ended).toEqual([
      expect.objectContaining({
        id: 'grant_1',
        status: 'ended',
        endedAt: 4_000,
        endedBy: 'admin',
        refreshHash: null,
      }),
    ]);
    expect(await grants.end({ tenant: 'default', ...which }, by, 5_000)).toEqual([]);
    expect((await grants.get('default', 'grant_2'))?.status).toBe('given');
    expect((await grants.get('other', 'grant_3'))?.status).toBe('given');
    expect(await grants.deleteExpired(61_000)).toBe(2);
  });
});

describeEachDialect('requests of devices', (database) => {
  test('one comes back as written, and a user code is given once', async () => {
    const { deviceRequests: requests } = await database.open();
    expect(await requests.insert(device())).toBe(true);
    expect(await requests.insert(device({ codeHash: 'device-2' }))).toBe(false);
    expect(await requests.get('default', 'device-1')).toEqual(device());
    expect(await requests.byUserCode('default', 'user-code-1', 2_000)).toEqual(device());
    expect(await requests.byUserCode('default', 'user-code-1', 601_000)).toBeNull();
    expect(await requests.countSince('default', 'agent_1', 999)).toBe(1);
    expect(await requests.countSince('default', 'agent_1', 1_000)).toBe(0);
    expect(await requests.deleteExpired(601_000)).toBe(1);
  });

  test('of twenty answers at once one counts', async () => {
    const { deviceRequests: requests } = await database.open();
    await requests.insert(device());
    const given = { status: 'given', grantId: 'grant_1' } as const;
    expect(await requests.decide(device(), given, 601_000)).toBe(false);
    const all = await Promise.all(Array.from({ length: 20 }, () => requests.decide(device(), given, 2_000)));
    expect(all.filter(Boolean)).toHaveLength(1);
    expect(await requests.get('default', 'device-1')).toMatchObject(given);
  });

  test('who asks too soon waits longer', async () => {
    const { deviceRequests: requests } = await database.open();
    await requests.insert(device());
    expect(await requests.poll(device(), 10_000, 5_000)).toBe(true);
    expect(await requests.poll(device(), 12_000, 5_000)).toBe(false);
    const stored = await requests.get('default', 'device-1');
    expect(stored).toMatchObject({ intervalMs: 10_000, polledAt: 10_000 });
    expect(await requests.poll(device({ intervalMs: 10_000 }), 19_000, 5_000)).toBe(false);
    expect(await requests.poll(device({ intervalMs: 15_000 }), 25_000, 5_000)).toBe(true);
  });
});
