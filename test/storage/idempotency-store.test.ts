import { expect, test } from 'vitest';
import { openStorage } from '../../src/storage/index.ts';
import { describeEachDialect } from './each-dialect.ts';

const place = { tenant: 'default', tokenId: 'token_1', keyHash: 'a'.repeat(64) };
const record = { ...place, fingerprint: 'f'.repeat(64), startedAt: 10, expiresAt: 100, answer: null };

describeEachDialect('idempotency keys', (database) => {
  test('are taken once, keep their answer over a restart, and are free after their time', async () => {
    const where = await database.place();
    const first = await openStorage(where);
    const begun = await Promise.all(Array.from({ length: 8 }, () => first.idempotency.begin(record, 10)));
    expect(begun.filter((known) => known === null)).toHaveLength(1);
    await first.idempotency.finish(place, Buffer.from([1, 2, 3]));
    await first.idempotency.release(place);
    await first.close();
    const second = await openStorage(where);
    expect(await second.idempotency.begin(record, 11)).toEqual({
      ...record,
      answer: new Uint8Array([1, 2, 3]),
    });
    expect(await second.idempotency.begin({ ...record, tokenId: 'token_2' }, 11)).toBeNull();
    expect(await second.idempotency.begin({ ...record, startedAt: 100, expiresAt: 200 }, 100)).toBeNull();
    expect(await second.idempotency.deleteExpired(100)).toBe(1);
    await second.idempotency.release(place);
    expect(await second.idempotency.begin(record, 12)).toBeNull();
    await second.close();
  });
});
