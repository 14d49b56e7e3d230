import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { networkOf, RateLimiter } from '../../../src/core/index.ts';
import { MemoryReplayStore } from '../../../src/passport/index.ts';
import { Nonces } from '../../../src/passport/nonces.ts';
import { matches, RevocationIndex } from '../../../src/passport/revocation-index.ts';
import type { RevocationRecord } from '../../../src/passport/store.ts';

describe('the memory of seen proofs', () => {
  test('lets each key of a kind through once until it expires', async () => {
    const seen = new MemoryReplayStore();
    const entry = { kind: 'dpop', key: 'a', expiresAt: 10_000 };
    expect(await seen.insertIfAbsent(entry, 0)).toBe(true);
    expect(await seen.insertIfAbsent(entry, 9_999)).toBe(false);
    expect(await seen.insertIfAbsent({ ...entry, kind: 'other' }, 9_999)).toBe(true);
    expect(await seen.insertIfAbsent({ ...entry, expiresAt: 30_000 }, 10_000)).toBe(true);
    expect(await seen.insertIfAbsent(entry, 29_999)).toBe(false);
  });

  test('agrees with a plain list of what was seen, whatever comes', async () => {
    const arrival = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      life: fc.nat(40_000),
      step: fc.nat(9_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(arrival, { maxLength: 60 }), async (arrivals) => {
        const seen = new MemoryReplayStore();
        const list = new Map<string, number>();
        let now = 0;
        for (const { key, life, step } of arrivals) {
          now += step;
          const expected = (list.get(key) ?? 0) <= now;
          const entry = { kind: 'dpop', key, expiresAt: now + life + 1 };
          expect(await seen.insertIfAbsent(entry, now)).toBe(expected);
          if (expected) list.set(key, entry.expiresAt);
        }
      }),
    );
  });

  test('forgets what has expired, and when it is full lets nothing through unremembered', async () => {
    const seen = new MemoryReplayStore({ mostEntries: 2 });
    const entry = (key: string) => ({ kind: 'dpop', key, expiresAt: 5_000 });
    await seen.insertIfAbsent(entry('a'), 0);
    await seen.insertIfAbsent(entry('b'), 0);
    await expect(seen.insertIfAbsent(entry('c'), 1)).rejects.toMatchObject({ code: 'overloaded' });
    expect(await seen.deleteExpired(20_000)).toBe(2);
    expect(await seen.insertIfAbsent({ ...entry('c'), expiresAt: 40_000 }, 20_000)).toBe(true);
  });
});

describe('rate limits', () => {
  test('a bucket gives its burst, then fills with time', () => {
    const limiter = new RateLimiter({ perSecond: 2, burst: 3 });
    expect([1, 2, 3, 4].map(() => limiter.take('a', 0))).toEqual([0, 0, 0, 500]);
    expect(limiter.take('b', 0)).toBe(0);
    expect(limiter.take('a', 499)).toBeGreaterThan(0);
    expect(limiter.take('a', 500)).toBe(0);
  });

  test('never gives more than burst plus what flowed in, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -2_000, max: 2_000 }), { maxLength: 100 }), (steps) => {
        const limiter = new RateLimiter({ perSecond: 1, burst: 5 });
        let [now, taken, flowed] = [0, 0, 0];
        for (const step of steps) {
          now += step;
          flowed += Math.max(0, step) / 1000;
          if (limiter.take('a', now) === 0) taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(5 + flowed + 1e-6);
      }),
    );
  });

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('%s is counted as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('nonces', () => {
  test('are good for one to two minutes, on every node that has the key, and nowhere else', () => {
    const key = randomBytes(32);
    const [one, other, stranger] = [new Nonces(key), new Nonces(key), new Nonces(randomBytes(32))];
    const now = 1_800_000_000_000;
    const nonce = one.current(now);
    expect(other.isCurrent(nonce, now + 60_000)).toBe(true);
    expect(other.isCurrent(nonce, now + 120_000)).toBe(false);
    expect(other.isCurrent(nonce, now - 60_000)).toBe(false);
    expect(stranger.isCurrent(nonce, now)).toBe(false);
    expect(one.isCurrent('', now)).toBe(false);
  });
});

describe('the index of revocations', () => {
  const subject = { tenant: 't', agentId: 'a', owner: 'o', user: 'u', sid: 's', chain: ['h1', 'h2'] };
  const passport = {
    subject,
    jti: 'j',
    issuedAt: 1_000,
    ancestors: ['b'],
    credential: 'k',
    kid: 'signing',
  };
  const record = (change: Partial<RevocationRecord>): RevocationRecord => ({
    tenant: 't',
    id: 'r',
    kind: 'token',
    value: 'j',
    revokedAt: 1_000,
    expiresAt: null,
    by: 'admin',
    reason: null,
    ...change,
  });

  test.each([
    [{ kind: 'token', value: 'j' }, true],
    [{ kind: 'token', value: 'j', revokedAt: 1 }, true],
    [{ kind: 'token', value: 'x' }, false],
    [{ kind: 'hop', value: 'h1' }, true],
    [{ kind: 'hop', value: 'h2' }, true],
    [{ kind: 'session', value: 's', revokedAt: 1 }, true],
    [{ kind: 'agent', value: 'a' }, true],
    [{ kind: 'agent', value: 'a', revokedAt: 999 }, false],
    [{ kind: 'owner', value: 'o' }, true],
    [{ kind: 'owner', value: 'a' }, false],
    [{ kind: 'user', value: 'u', revokedAt: 2_000 }, true],
    [{ kind: 'user', value: 'u', revokedAt: 999 }, false],
    [{ kind: 'agent', value: 'b' }, true],
    [{ kind: 'agent', value: 'b', revokedAt: 999 }, false],
    [{ kind: 'credential', value: 'a/k', revokedAt: 1 }, true],
    [{ kind: 'credential', value: 'b/k' }, false],
    [{ kind: 'key', value: 'signing', revokedAt: 1 }, true],
    [{ kind: 'token', value: 'j', tenant: 'other' }, false],
  ] as const)('%j hits the passport: %s', (change, hit) => {
    const index = new RevocationIndex();
    index.apply(record(change));
    expect(index.find(passport) !== null).toBe(hit);
    expect(matches(record(change), passport)).toBe(hit);
  });

  test('keeps the later of two moments, and forgets what may be forgotten', () => {
    const index = new RevocationIndex();
    expect(index.apply(record({ kind: 'agent', value: 'a', revokedAt: 2_000, expiresAt: 9_000 }))).toBe(true);
    expect(index.apply(record({ kind: 'agent', value: 'a', revokedAt: 500, expiresAt: 9_000 }))).toBe(false);
    expect(index.find(passport)).toBe('agent');
    index.forgetExpired(8_999);
    expect(index.find(passport)).toBe('agent');
    index.forgetExpired(9_000);
    expect(index.find(passport)).toBeNull();
  });
});
