import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Receipt } from '../../../src/audit/index.ts';
import {
  API,
  BEARER,
  type Bench,
  fakeSecret,
  openBench,
  permitFor,
  RECEIPT,
  secretOf,
  textOf,
} from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.close());

const put = (secret: string, name = 'github', binding = BEARER) =>
  bench.vault.put({ tenant: 'default', name, secret: secretOf(secret), binding }, 'admin');
const open = (version = 1, name = 'github') => bench.vault.use(permitFor({ name, version }), RECEIPT);

describe('use', () => {
  it('opens what was put, for its destination', async () => {
    const secret = fakeSecret();
    await put(secret);
    using opened = open();
    expect(textOf(opened.secret)).toBe(secret);
    expect(opened.injector).toEqual({ kind: 'bearer' });
  });

  it('wipes the secret when the opened credential is disposed of', async () => {
    await put(fakeSecret());
    const opened = open();
    opened[Symbol.dispose]();
    expect(() => opened.secret.use((bytes) => bytes)).toThrow(TypeError);
    expect(() => opened[Symbol.dispose]()).not.toThrow();
  });

  it('refuses any origin that is not sealed with the credential', async () => {
    await put(fakeSecret());
    const others = [
      { ...API, host: 'api.example.com.' },
      { ...API, host: 'evil.example' },
      { ...API, port: 8443 },
      { ...API, scheme: 'http' as const },
      null,
    ];
    for (const origin of others) {
      expect(() => bench.vault.use(permitFor({ name: 'github', version: 1, origin }), RECEIPT)).toThrow(
        expect.objectContaining({ code: 'credential_destination' }),
      );
    }
  });

  it('opens nothing for a receipt that the audit log did not give', async () => {
    await put(fakeSecret());
    const forged = { sequence: 1, hash: '00'.repeat(32) } as unknown as Receipt;
    expect(() => bench.vault.use(permitFor({ name: 'github', version: 1 }), forged)).toThrow(TypeError);
  });

  it('knows no credential of another tenant', async () => {
    await put(fakeSecret());
    expect(() =>
      bench.vault.use(permitFor({ name: 'github', version: 1, tenant: 'other' }), RECEIPT),
    ).toThrow(expect.objectContaining({ code: 'credential_missing' }));
  });

  it('still works after a restart', async () => {
    const secret = fakeSecret();
    await put(secret);
    await bench.reopen();
    using opened = open();
    expect(textOf(opened.secret)).toBe(secret);
  });
});
