import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openVault } from '../../../src/vault/index.ts';
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

const NAME = { tenant: 'default', name: 'github' } as const;
const put = (secret: string, binding = BEARER) =>
  bench.vault.put({ ...NAME, secret: secretOf(secret), binding }, 'admin');
const open = (version: number) => bench.vault.use(permitFor({ name: 'github', version }), RECEIPT);
const failing = (code: string) => expect.objectContaining({ code });

describe('put', () => {
  it('on a name in use replaces secret and binding, as the next version', async () => {
    await put(fakeSecret());
    const second = fakeSecret();
    const binding = { ...BEARER, destinations: [{ ...API, host: 'other.example.com' }] };
    expect((await put(second, binding)).version).toBe(2);
    expect(() => open(1)).toThrow(failing('credential_revoked'));
    expect(() => open(2)).toThrow(failing('credential_destination'));
    const permit = permitFor({ name: 'github', version: 2, origin: { ...API, host: 'other.example.com' } });
    using opened = bench.vault.use(permit, RECEIPT);
    expect(textOf(opened.secret)).toBe(second);
  });

  it('keeps what was given: a binding that the caller changes afterwards is not the one that was sealed', async () => {
    const destinations = [{ ...API }];
    await put(fakeSecret(), { ...BEARER, destinations });
    destinations.push({ ...API, host: 'evil.example' });
    const evil = permitFor({ name: 'github', version: 1, origin: { ...API, host: 'evil.example' } });
    expect(() => bench.vault.use(evil, RECEIPT)).toThrow(failing('credential_destination'));
    open(1)[Symbol.dispose]();
  });

  it('goes on counting versions after a revocation', async () => {
    await put(fakeSecret());
    await bench.vault.revoke(NAME, 'admin');
    expect((await put(fakeSecret())).version).toBe(2);
    expect(() => open(1)).toThrow(failing('credential_revoked'));
    open(2)[Symbol.dispose]();
  });

  it('names every fault at once and quotes nothing of the secret', async () => {
    const secret = 'fake\r\nX: 1';
    const bad = bench.vault.put(
      {
        tenant: 'default',
        name: 'Not A Name',
        secret: secretOf(secret),
        binding: {
          destinations: [{ scheme: 'http', host: 'UPPER.example.', port: 0 }],
          upstreamCa: 'not a certificate',
          allowPrivate: false,
          injector: { kind: 'header', name: 'Host', prefix: '' },
        },
      },
      'admin',
    );
    const refusal = await bad.then(
      () => null,
      (error: unknown) => error,
    );
    expect(refusal).toMatchObject({ code: 'input_invalid' });
    const errors = (refusal as { extra: { errors: string[] } }).extra.errors;
    expect(errors.map((error) => error.split(':')[0])).toEqual([
      'name',
      'binding.destinations.0',
      'binding.upstreamCa',
      'binding.injector',
      'secret',
    ]);
    expect(JSON.stringify(refusal)).not.toContain('X: 1');
    expect(await bench.vault.list({ tenant: 'default' })).toEqual([]);
  });

  it.each([
    ['too short', 'fake-7b'],
    ['too long', 'x1'.repeat(8193)],
    ['one byte repeated', 'xxxxxxxxxxxx'],
    ['a short piece again and again', 'ab'.repeat(200)],
    ['a line end at its end', 'fake-secret-1\n'],
    ['NUL', 'fake-\u0000-secret'],
    ['a space at its end', 'fake-secret-1 '],
  ])('refuses a bearer secret that is %s', async (_what, secret) => {
    await expect(put(secret)).rejects.toMatchObject({ code: 'input_invalid' });
    expect(bench.events).toEqual([]);
  });

  it('refuses plain http, except to a place that may be private', async () => {
    const destinations = [{ scheme: 'http', host: '127.0.0.1', port: 8080 }] as const;
    await expect(put(fakeSecret(), { ...BEARER, destinations })).rejects.toMatchObject({
      code: 'input_invalid',
    });
    await put(fakeSecret(), { ...BEARER, destinations, allowPrivate: true });
  });
});

describe('rotate', () => {
  it('puts a new secret under the same binding, and the old one stops at once', async () => {
    await put(fakeSecret());
    const second = fakeSecret();
    const view = await bench.vault.rotate({ ...NAME, secret: secretOf(second) }, 'admin');
    expect(view).toMatchObject({ version: 2, binding: BEARER });
    expect(() => open(1)).toThrow(failing('credential_revoked'));
    using opened = open(2);
    expect(textOf(opened.secret)).toBe(second);
  });

  it('refuses what the binding can not carry, an unknown name and a revoked one', async () => {
    const rotate = (secret: string) => bench.vault.rotate({ ...NAME, secret: secretOf(secret) }, 'admin');
    await expect(rotate(fakeSecret())).rejects.toMatchObject({ code: 'not_found' });
    await put(fakeSecret());
    await expect(rotate('fake-secret\n')).rejects.toMatchObject({ code: 'input_invalid' });
    await bench.vault.revoke(NAME, 'admin');
    await expect(rotate(fakeSecret())).rejects.toMatchObject({ code: 'not_found' });
  });

  it('lets one of several rotations at once win at a time, and loses none', async () => {
    await put(fakeSecret());
    const views = await Promise.all(
      Array.from({ length: 5 }, () =>
        bench.vault.rotate({ ...NAME, secret: secretOf(fakeSecret()) }, 'admin'),
      ),
    );
    expect(views.map(({ version }) => version)).toEqual([2, 3, 4, 5, 6]);
    open(6)[Symbol.dispose]();
  });
});

describe('revoke', () => {
  it('stops use before it resolves, and empties the row', async () => {
    await put(fakeSecret());
    const done = bench.vault.revoke(NAME, 'admin');
    expect(() => open(1)).toThrow(failing('credential_unusable'));
    await done;
    expect(() => open(1)).toThrow(failing('credential_revoked'));
    const row = await bench.store.current('default', 'github');
    expect([row?.sealed.length, row?.wrappedKey.length]).toEqual([0, 0]);
    await expect(bench.vault.revoke(NAME, 'admin')).rejects.toMatchObject({ code: 'not_found' });
    await bench.reopen();
    expect(() => open(1)).toThrow(failing('credential_revoked'));
  });

  it('leaves the credential usable when it could not be recorded', async () => {
    await put(fakeSecret());
    bench.failAudit(true);
    await expect(bench.vault.revoke(NAME, 'admin')).rejects.toThrow('no record');
    open(1)[Symbol.dispose]();
  });
});

describe('every change', () => {
  it('is recorded before it happens, without the secret', async () => {
    const secrets = [fakeSecret(), fakeSecret()];
    await put(secrets[0] ?? '');
    await bench.vault.rotate({ ...NAME, secret: secretOf(secrets[1] ?? '') }, 'admin');
    await bench.vault.revoke(NAME, 'admin');
    await bench.vault.delete(NAME, 'admin');
    expect(bench.events.map(({ type }) => type)).toEqual([
      'credential.put',
      'credential.rotated',
      'credential.revoked',
      'credential.deleted',
    ]);
    for (const secret of secrets) expect(JSON.stringify(bench.events)).not.toContain(secret);
  });

  it('does not happen when it can not be recorded', async () => {
    bench.failAudit(true);
    await expect(put(fakeSecret())).rejects.toThrow('no record');
    expect(await bench.store.current('default', 'github')).toBeNull();
    expect(bench.vault.describe('default', 'github')).toBeNull();
  });

  it('is told to listeners until they stop', async () => {
    const heard: string[] = [];
    const stop = bench.vault.onChanged(({ tenant, name }) => heard.push(`${tenant}/${name}`));
    await put(fakeSecret());
    await bench.vault.rotate({ ...NAME, secret: secretOf(fakeSecret()) }, 'admin');
    await bench.vault.revoke(NAME, 'admin');
    expect(heard).toHaveLength(3);
    stop();
    await bench.vault.delete(NAME, 'admin');
    expect(heard).toHaveLength(3);
  });

  it('made on another node is seen here', async () => {
    await put(fakeSecret());
    const heard = new Promise<void>((resolve) => bench.vault.onChanged(() => resolve()));
    await bench.store.revoke('default', 'github', Date.now());
    await heard;
    expect(() => open(1)).toThrow(failing('credential_revoked'));
  });
});

describe('delete and list', () => {
  it('forget and show names, never secrets', async () => {
    const secret = fakeSecret();
    await put(secret);
    const views = await bench.vault.list({ tenant: 'default' });
    expect(views).toHaveLength(1);
    expect(Object.keys(views[0] ?? {}).sort()).toEqual(
      ['binding', 'createdAt', 'createdBy', 'id', 'name', 'revokedAt', 'status', 'tenant', 'version'].sort(),
    );
    expect(JSON.stringify(views)).not.toContain(secret);
    await bench.vault.delete(NAME, 'admin');
    expect(await bench.vault.list({ tenant: 'default' })).toEqual([]);
    expect(() => open(1)).toThrow(failing('credential_missing'));
    await expect(bench.vault.delete(NAME, 'admin')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('close', () => {
  it('seals the vault', async () => {
    await put(fakeSecret());
    const { vault } = bench;
    await vault.close();
    expect(() => open(1)).toThrow(failing('vault_sealed'));
    await expect(put(fakeSecret())).rejects.toMatchObject({ code: 'vault_sealed' });
    expect(() => vault.sealBlob('sink/1', new Uint8Array(4))).toThrow(failing('vault_sealed'));
  });
});

describe('when the database can not be read', () => {
  it('what may have changed is not used, and is read again', async () => {
    await put(fakeSecret());
    const store = flakyStore();
    const vault = await openVault({
      store,
      keysDirectory: bench.keys,
      seal: { kind: 'file' },
      clock: { now: () => Date.now() },
      audit: async () => {},
    });
    const use = () => vault.use(permitFor({ name: 'github', version: 1 }), RECEIPT);
    use()[Symbol.dispose]();
    for (const tell of [store.tellChange, store.tellGap]) {
      store.failing = true;
      tell();
      await vi.waitFor(() => expect(use).toThrow(failing('credential_unusable')));
      store.failing = false;
      await vi.waitFor(() => use()[Symbol.dispose](), { timeout: 5000 });
    }
    await vault.close();
  });
});

/** The store of the bench, with a feed that the test drives and reads that fail when it says so. */
function flakyStore() {
  const listeners = { change: () => {}, gap: () => {} };
  const state = { failing: false };
  const orFail = <T>(read: () => Promise<T>): Promise<T> =>
    state.failing ? Promise.reject(new Error('no connection')) : read();
  return {
    ...bench.store,
    current: (tenant: string, name: string) => orFail(() => bench.store.current(tenant, name)),
    allCurrent: () => orFail(() => bench.store.allCurrent()),
    follow: async (onChange: (changed: { tenant: string; name: string }) => void, onGap: () => void) => {
      listeners.change = () => onChange(NAME);
      listeners.gap = onGap;
      return { stop: async () => {} };
    },
    tellChange: () => listeners.change(),
    tellGap: () => listeners.gap(),
    get failing() {
      return state.failing;
    },
    set failing(value: boolean) {
      state.failing = value;
    },
  };
}
