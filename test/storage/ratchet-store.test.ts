import { expect, test } from 'vitest';
import { describeEachDialect } from './each-dialect.ts';

const line = { tenant: 'default', agentId: 'agent_1', kid: 'k1' };

describeEachDialect('lines of keys', (database) => {
  test('a line begins with its first use and moves from key to key', async () => {
    const { ratchets } = await database.open();
    expect(await ratchets.find(line)).toBeNull();
    expect(await ratchets.advance(line, { from: 'a', to: 'b' })).toBe(true);
    expect(await ratchets.find(line)).toEqual({ step: 1, thumbprint: 'b', previous: 'a' });
    expect(await ratchets.advance(line, { from: 'b', to: 'c' })).toBe(true);
    expect(await ratchets.find(line)).toEqual({ step: 2, thumbprint: 'c', previous: 'b' });
    expect(await ratchets.hasGivenWay(line, 'a')).toBe(true);
    expect(await ratchets.hasGivenWay(line, 'b')).toBe(true);
    expect(await ratchets.hasGivenWay(line, 'c')).toBe(false);
    expect(await ratchets.hasGivenWay({ ...line, kid: 'k2' }, 'a')).toBe(false);
  });

  test('of twenty moves from one key at once, one is made', async () => {
    const { ratchets } = await database.open();
    await ratchets.advance(line, { from: 'a', to: 'b' });
    const moved = await Promise.all(
      Array.from({ length: 20 }, (_, index) => ratchets.advance(line, { from: 'b', to: `c${index}` })),
    );
    expect(moved.filter((one) => one)).toHaveLength(1);
    expect(await ratchets.find(line)).toMatchObject({ step: 2, thumbprint: `c${moved.indexOf(true)}` });
  });

  test('what is forgotten begins anew', async () => {
    const { ratchets } = await database.open();
    await ratchets.advance(line, { from: 'a', to: 'b' });
    await ratchets.forget('default', 'agent_1');
    expect(await ratchets.find(line)).toBeNull();
    expect(await ratchets.hasGivenWay(line, 'a')).toBe(false);
  });
});
