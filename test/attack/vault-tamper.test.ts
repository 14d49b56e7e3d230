import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Envelope } from '../../src/vault/envelope.ts';
import type { CredentialRecord } from '../../src/vault/index.ts';
import { Keyring } from '../../src/vault/keyring.ts';
import { SecureMemory } from '../../src/vault/secure-memory.ts';
import { API, BEARER, type Bench, fakeSecret, openBench, secretOf, textOf } from '../unit/vault/support.ts';

let bench: Bench;
let keyring: Keyring;
let envelope: Envelope;
beforeAll(async () => {
  bench = await openBench();
  keyring = await Keyring.open(bench.keys, { kind: 'file' });
  envelope = new Envelope(keyring, new SecureMemory());
});
afterAll(async () => {
  keyring.close();
  await bench.close();
});

const SECRET = fakeSecret();

function sealed(change: Partial<CredentialRecord> = {}): CredentialRecord {
  const row = {
    tenant: 'default',
    id: 'credential_1',
    name: 'github',
    version: 1,
    binding: BEARER,
    status: 'active',
    createdAt: 1000,
    createdBy: 'admin',
    revokedAt: null,
  } as const;
  return envelope.seal({ ...row, ...change }, secretOf(SECRET));
}

const unusable = expect.objectContaining({ code: 'credential_unusable' });
const flip = (bytes: Uint8Array, at: number, bit: number) =>
  Uint8Array.from(bytes, (byte, index) => (index === at % bytes.length ? byte ^ (1 << bit) : byte));

/** What somebody who can write the database would try. */
const changes = fc.oneof(
  fc.record({ tenant: fc.string({ minLength: 1 }) }),
  fc.record({ id: fc.string() }),
  fc.record({ name: fc.string() }),
  fc.record({ version: fc.integer({ min: 2 }) }),
  fc.record({ createdAt: fc.nat({ max: 999 }) }),
  fc.record({ createdBy: fc.string() }),
  fc.record({ kekId: fc.constantFrom('kek-2', 'kek-11', 'kek-0', '', '__proto__') }),
  fc
    .record({
      destinations: fc.array(
        fc.record({
          scheme: fc.constantFrom('http' as const, 'https' as const),
          host: fc.constantFrom('evil.example', 'api.example.com', 'api.example.co', ''),
          port: fc.constantFrom(443, 80, 8443),
        }),
        { maxLength: 3 },
      ),
    })
    .filter(({ destinations }) => JSON.stringify(destinations) !== JSON.stringify([API]))
    .map((change) => ({ binding: { ...BEARER, ...change } })),
  fc.record({ binding: fc.constant({ ...BEARER, allowPrivate: true }) }),
  fc.string().map((upstreamCa) => ({ binding: { ...BEARER, upstreamCa } })),
  fc
    .oneof(
      fc.record({ kind: fc.constant('header' as const), name: fc.string(), prefix: fc.string() }),
      fc.record({ kind: fc.constant('query' as const), name: fc.string() }),
      fc.record({ kind: fc.constant('basic' as const), username: fc.string() }),
    )
    .map((injector) => ({ binding: { ...BEARER, injector } })),
);

describe('a row of the database', () => {
  it('opens as it was sealed', () => {
    const opened = envelope.open(sealed());
    expect(textOf(opened.secret)).toBe(SECRET);
    opened.release();
  });

  it('does not open when any field of it was changed', () => {
    const row = sealed();
    fc.assert(
      fc.property(changes, (change) => {
        fc.pre(Object.entries(change).some(([key, value]) => value !== row[key as keyof CredentialRecord]));
        expect(() => envelope.open({ ...row, ...change } as CredentialRecord)).toThrow(unusable);
      }),
      { numRuns: 400 },
    );
  });

  it('does not open when any bit of the sealed values was changed, or bytes are missing or added', () => {
    const row = sealed();
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 7 }), fc.constantFrom('sealed', 'wrappedKey'), (at, bit, field) => {
        expect(() => envelope.open({ ...row, [field]: flip(row[field], at, bit) })).toThrow(unusable);
        const length = at % row[field].length;
        expect(() => envelope.open({ ...row, [field]: row[field].subarray(0, length) })).toThrow(unusable);
      }),
      { numRuns: 300 },
    );
    expect(() => envelope.open({ ...row, sealed: Buffer.concat([row.sealed, Buffer.alloc(1)]) })).toThrow(
      unusable,
    );
  });

  it('can not lend its secret to another row: neither sealed value nor data key fits there', () => {
    const [mine, evil] = [
      sealed(),
      sealed({ binding: { ...BEARER, destinations: [{ ...API, host: 'evil.example' }] } }),
    ];
    for (const mixed of [
      { ...evil, sealed: mine.sealed },
      { ...evil, sealed: mine.sealed, wrappedKey: mine.wrappedKey },
      { ...mine, wrappedKey: evil.wrappedKey },
    ]) {
      expect(() => envelope.open(mixed)).toThrow(unusable);
    }
  });

  it('does not confuse fields that together have the same text', () => {
    const row = sealed({ name: 'ab', createdBy: 'c' });
    expect(() => envelope.open({ ...row, name: 'a', createdBy: 'bc' })).toThrow(unusable);
    const two = sealed({ binding: { ...BEARER, injector: { kind: 'header', name: 'x-key', prefix: 'a' } } });
    const moved = { ...BEARER, injector: { kind: 'header', name: 'x-keya', prefix: '' } } as const;
    expect(() => envelope.open({ ...two, binding: moved })).toThrow(unusable);
  });
});

describe('a rotation', () => {
  it('does not seal a fresh secret to a binding that was changed in the database', async () => {
    const name = { tenant: 'default', name: 'github' } as const;
    await bench.vault.put({ ...name, secret: secretOf(SECRET), binding: BEARER }, 'admin');
    const row = await bench.store.current('default', 'github');
    expect(row).not.toBeNull();
    if (row === null) return;
    const evil = { ...BEARER, destinations: [{ ...API, host: 'evil.example' }] };
    await bench.store.delete('default', 'github');
    await bench.store.insert({ ...row, binding: evil });
    await expect(
      bench.vault.rotate({ ...name, secret: secretOf(fakeSecret()) }, 'admin'),
    ).rejects.toMatchObject({ code: 'credential_unusable' });
  });
});

describe('a blob', () => {
  it('opens in its own context alone', () => {
    const blob = envelope.sealBlob('sink/1', Buffer.from('fake-webhook-secret'));
    const opened = envelope.openBlob('sink/1', blob);
    expect(textOf(opened.secret)).toBe('fake-webhook-secret');
    opened.release();
    expect(() => envelope.openBlob('sink/2', blob)).toThrow(unusable);
    for (const length of [0, 3, 6, blob.length - 1]) {
      expect(() => envelope.openBlob('sink/1', blob.subarray(0, length))).toThrow(unusable);
    }
    expect(() => envelope.openBlob('sink/1', flip(blob, blob.length - 1, 0))).toThrow(unusable);
  });
});
