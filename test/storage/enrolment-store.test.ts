import { expect, test } from 'vitest';
import type { InitialTokenRecord, RegistrationRecord } from '../../src/passport/index.ts';
import { describeEachDialect } from './each-dialect.ts';

const initial = (changes: Partial<InitialTokenRecord> = {}): InitialTokenRecord => ({
  tenant: 'default',
  id: 'token_1',
  name: 'runners',
  hash: 'hash-1',
  owner: 'team-a',
  scopes: ['github:read'],
  maxUses: 3,
  used: 0,
  createdAt: 1_000,
  createdBy: 'admin',
  expiresAt: 10_000,
  ...changes,
});

const registration: RegistrationRecord = {
  tenant: 'default',
  agentId: 'agent_1',
  tokenHash: 'first',
  initialToken: 'token_1',
  createdAt: 1_000,
  rotatedAt: 1_000,
};

describeEachDialect('tokens with which agents come aboard', (database) => {
  test('an initial token comes back as it was written, and id, name and hash are unique', async () => {
    const { enrolment } = await database.open();
    expect(await enrolment.insertInitialToken(initial())).toBe(true);
    expect(await enrolment.initialTokenByHash('hash-1')).toEqual(initial());
    expect(await enrolment.insertInitialToken(initial({ id: 'token_2', name: 'b' }))).toBe(false);
    expect(await enrolment.insertInitialToken(initial({ id: 'token_2', hash: 'h' }))).toBe(false);
    expect(await enrolment.insertInitialToken(initial({ name: 'b', hash: 'h' }))).toBe(false);
    expect(await enrolment.initialTokens('default')).toHaveLength(1);
    expect(await enrolment.initialTokenByHash('hash-2')).toBeNull();
  });

  test('of twenty uses at once, as many are counted as it has', async () => {
    const { enrolment } = await database.open();
    await enrolment.insertInitialToken(initial());
    const used = await Promise.all(
      Array.from({ length: 20 }, () => enrolment.useInitialToken('default', 'token_1', 2_000)),
    );
    expect(used.filter((one) => one)).toHaveLength(3);
    expect((await enrolment.initialTokens('default')).map((one) => one.used)).toEqual([3]);
  });

  test('one that has expired, or is of another tenant, is not used', async () => {
    const { enrolment } = await database.open();
    await enrolment.insertInitialToken(initial());
    expect(await enrolment.useInitialToken('default', 'token_1', 10_000)).toBe(false);
    expect(await enrolment.useInitialToken('other', 'token_1', 2_000)).toBe(false);
    expect(await enrolment.deleteInitialToken('other', 'token_1')).toBe(false);
    expect(await enrolment.deleteExpired(9_999)).toBe(0);
    expect(await enrolment.deleteExpired(10_000)).toBe(1);
  });

  test('of twenty rotations of a registration token at once, one is made', async () => {
    const { enrolment } = await database.open();
    await enrolment.insertRegistration(registration);
    const change = { tenant: 'default', agentId: 'agent_1', from: 'first', now: 2_000 };
    const rotated = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        enrolment.rotateRegistration({ ...change, to: `next-${index}` }),
      ),
    );
    expect(rotated.filter((one) => one)).toHaveLength(1);
    const winner = `next-${rotated.indexOf(true)}`;
    expect(await enrolment.registration('default', 'agent_1')).toEqual({
      ...registration,
      tokenHash: winner,
      rotatedAt: 2_000,
    });
    await enrolment.deleteRegistration('default', 'agent_1');
    expect(await enrolment.registration('default', 'agent_1')).toBeNull();
  });
});
