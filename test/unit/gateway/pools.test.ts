import { afterEach, expect, test } from 'vitest';
import { systemDial } from '../../../src/gateway/egress/connector.ts';
import { type PoolKey, Pools } from '../../../src/gateway/egress/pools.ts';

const pools = new Pools({ dial: systemDial, connectTimeoutMs: 1_000 });
afterEach(() => pools.close());

const key: PoolKey = {
  tenant: 'default',
  service: 'api',
  destination: {
    origin: { scheme: 'https', host: 'api.example', port: 443 },
    addresses: ['192.0.2.1'],
    key: '192.0.2.1',
  },
  credential: { name: 'key', version: 1 },
  upstreamCa: 'a',
};

test('calls that trust other authorities share no connections, before a change of the epoch and behind it', () => {
  const first = pools.of(key, '1');
  expect(pools.of({ ...key }, '1')).toBe(first);
  const others = [null, 'b', 'ab'].map((upstreamCa) => pools.of({ ...key, upstreamCa }, '1'));
  expect(new Set([first, ...others]).size).toBe(4);
  const later = pools.of({ ...key, upstreamCa: 'b' }, '2');
  expect(others).not.toContain(later);
  expect(pools.of(key, '2')).not.toBe(later);
});
