import { expect, test } from 'vitest';
import { describeEachDialect } from './each-dialect.ts';
import { approval, winners } from './records.ts';

const call = { tenant: 'default', sid: 'sid_1', callDigest: 'digest-1' };
const key = { tenant: 'default', id: 'approval_1', callDigest: 'digest-1' };
const yes = { tenant: 'default', id: 'approval_1', status: 'approved', by: 'bob', reason: null } as const;

describeEachDialect('approvals', (database) => {
  test('twenty requests for the same call at once share one approval', async () => {
    const { approvals } = await database.open();
    const records = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        approvals.insertOrGet(approval({ id: `approval_${index}` }), 1_000),
      ),
    );
    expect(new Set(records.map(({ id }) => id)).size).toBe(1);
    expect(await approvals.list('default', { after: null, limit: 50 })).toEqual([records[0]]);
  });

  test('another session, call or tenant gets its own', async () => {
    const { approvals } = await database.open();
    await approvals.insertOrGet(approval(), 1_000);
    const others = [{ sid: 'sid_2' }, { callDigest: 'digest-2' }, { tenant: 'other' }];
    for (const [index, other] of others.entries()) {
      const record = approval({ ...other, id: `other_${index}` });
      expect(await approvals.insertOrGet(record, 1_000)).toEqual(record);
    }
  });

  test('of twenty decisions at once, one counts, and it stands', async () => {
    const { approvals } = await database.open();
    await approvals.insertOrGet(approval(), 1_000);
    const won = await winners(20, (index) =>
      approvals.decide({ ...yes, status: index % 2 ? 'approved' : 'denied', by: `p${index}` }, 2_000),
    );
    expect(won).toBe(1);
    const decided = await approvals.get('default', 'approval_1');
    expect(decided?.decidedAt).toBe(2_000);
    expect(await approvals.findLive(call, 2_000)).toEqual(decided);
  });

  test('of twenty uses of an approved one, exactly one succeeds, and the call is no longer live', async () => {
    const { approvals } = await database.open();
    await approvals.insertOrGet(approval(), 1_000);
    await approvals.decide(yes, 2_000);
    expect(await winners(20, () => approvals.use(key, 3_000))).toBe(1);
    expect((await approvals.get('default', 'approval_1'))?.status).toBe('used');
    expect(await approvals.findLive(call, 3_000)).toBeNull();
    const next = approval({ id: 'approval_2' });
    expect(await approvals.insertOrGet(next, 3_000)).toEqual(next);
  });

  test('pending, denied, expired and differing ones can not be used', async () => {
    const { approvals } = await database.open();
    await approvals.insertOrGet(approval(), 1_000);
    expect(await approvals.use(key, 2_000)).toBe(false);
    await approvals.decide(yes, 2_000);
    expect(await approvals.use({ ...key, callDigest: 'digest-2' }, 3_000)).toBe(false);
    expect(await approvals.use({ ...key, tenant: 'other' }, 3_000)).toBe(false);
    expect(await approvals.use(key, 10_000)).toBe(false);
    await approvals.insertOrGet(approval({ id: 'denied', callDigest: 'digest-3' }), 1_000);
    await approvals.decide({ ...yes, id: 'denied', status: 'denied' }, 2_000);
    expect(await approvals.use({ ...key, id: 'denied', callDigest: 'digest-3' }, 3_000)).toBe(false);
  });

  test('an expired one can not be decided, and makes room for a new request', async () => {
    const { approvals } = await database.open();
    await approvals.insertOrGet(approval(), 1_000);
    expect(await approvals.decide(yes, 10_000)).toBe(false);
    const next = approval({ id: 'approval_2', expiresAt: 20_000 });
    expect(await approvals.insertOrGet(next, 10_000)).toEqual(next);
    expect(await approvals.findLive(call, 10_000)).toEqual(next);
    expect((await approvals.get('default', 'approval_1'))?.status).toBe('pending');
  });

  test('the list is a queue from the oldest, by status and user', async () => {
    const { approvals } = await database.open();
    for (const id of ['a1', 'a2', 'a3']) {
      const user = id === 'a3' ? 'user_2' : 'user_1';
      await approvals.insertOrGet(approval({ id, callDigest: id, reason: null, user }), 1_000);
    }
    await approvals.decide({ ...yes, id: 'a2', reason: 'fine' }, 2_000);
    const ids = async (filter: Parameters<typeof approvals.list>[1]) =>
      (await approvals.list('default', filter)).map(({ id }) => id);
    expect(await ids({ after: null, limit: 2 })).toEqual(['a1', 'a2']);
    expect(await ids({ after: 'a2', limit: 2 })).toEqual(['a3']);
    expect(await ids({ status: 'pending', after: null, limit: 9 })).toEqual(['a1', 'a3']);
    expect(await ids({ status: 'approved', after: null, limit: 9 })).toEqual(['a2']);
    expect(await ids({ user: 'user_1', after: null, limit: 9 })).toEqual(['a1', 'a2']);
    expect(await ids({ status: 'pending', user: 'user_1', after: null, limit: 9 })).toEqual(['a1']);
  });

  test('expired ones are forgotten', async () => {
    const { approvals } = await database.open();
    await approvals.insertOrGet(approval(), 1_000);
    expect(await approvals.deleteExpired(9_999)).toBe(0);
    expect(await approvals.deleteExpired(10_000)).toBe(1);
    expect(await approvals.get('default', 'approval_1')).toBeNull();
  });

  test('of twenty first answers at once one counts, and only of another person after it decides', async () => {
    const { approvals } = await database.open();
    await approvals.insertOrGet(approval({ approversNeeded: 2 }), 1_000);
    const firstOf = (by: string) => ({ by, principal: by, at: 2_000 });
    const one = { tenant: 'default', id: 'approval_1' };
    expect(
      await winners(20, (index) => approvals.decideFirst({ ...one, first: firstOf(`p${index}`) }, 2_000)),
    ).toBe(1);
    const record = await approvals.get('default', 'approval_1');
    expect(record).toMatchObject({ status: 'pending', first: { at: 2_000 } });
    expect(await approvals.decide(yes, 3_000)).toBe(false);
    expect(await approvals.decide({ ...yes, after: firstOf('nobody') }, 3_000)).toBe(false);
    const first = record?.first ?? firstOf('nobody');
    expect(await approvals.decide({ ...yes, after: first }, 3_000)).toBe(true);
    expect(await approvals.use(key, 4_000)).toBe(true);
  });

  test.each([
    ['agent', 'agent_1'],
    ['owner', 'team-a'],
    ['user', 'alice'],
    ['session', 'sid_1'],
    ['hop', 'hop_1'],
    ['everything', ''],
  ] as const)(
    'a revocation by %s ends what was asked for and what was approved, and nothing else',
    async (kind, value) => {
      const { approvals } = await database.open();
      await approvals.insertOrGet(approval(), 1_000);
      await approvals.insertOrGet(approval({ id: 'approval_2', callDigest: 'digest-2' }), 1_000);
      await approvals.decide(yes, 2_000);
      const other = { agentId: 'agent_2', owner: 'team-b', user: null, sid: 'sid_2', chain: ['hop_2'] };
      await approvals.insertOrGet(approval({ id: 'approval_3', ...other }), 1_000);
      await approvals.insertOrGet(approval({ id: 'approval_4', tenant: 'other' }), 1_000);
      const ended = await approvals.end(
        { tenant: 'default', kind, value },
        { by: 'admin', reason: 'revoked' },
        3_000,
      );
      const hit =
        kind === 'everything' ? ['approval_1', 'approval_2', 'approval_3'] : ['approval_1', 'approval_2'];
      expect(ended.map(({ id }) => id).toSorted()).toEqual(hit);
      expect(ended[0]).toMatchObject({ status: 'denied', decidedBy: 'admin', reason: 'revoked' });
      expect(await approvals.use(key, 4_000)).toBe(false);
      // The same call may be asked for anew.
      expect((await approvals.insertOrGet(approval({ id: 'approval_5' }), 4_000)).id).toBe('approval_5');
      expect((await approvals.get('other', 'approval_4'))?.status).toBe('pending');
    },
  );
});
