import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminTokens, ensureFirstAdministrator, generateAdminToken } from '../../../src/admin/index.ts';
import type { AuditEvent } from '../../../src/core/index.ts';
import { openStorage, type Storage } from '../../../src/storage/index.ts';

const TENANT = 'default';
let folder: string;
let storage: Storage;
let tokens: AdminTokens;
let now = Date.now();
let onAudit: (event: AuditEvent) => void;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-first-'));
  storage = await openStorage({ kind: 'sqlite', file: join(folder, 'test.db'), durability: 'process' });
  onAudit = () => {};
  tokens = new AdminTokens({
    store: storage.adminTokens,
    pepper: randomBytes(32),
    clock: { now: () => now },
    audit: async (event) => onAudit(event),
  });
});
afterEach(async () => {
  await storage.close();
  await rm(folder, { recursive: true, force: true });
});

const ensure = (isTerminal: boolean) =>
  ensureFirstAdministrator({ tokens, tenant: TENANT, keysDirectory: folder, isTerminal });
const tokenInFile = async (name = 'admin-token') => (await readFile(join(folder, name), 'utf8')).trim();
const isGood = async (token: string) => (await tokens.identify(token))?.role === 'admin';
const tokenFiles = async () => (await readdir(folder)).filter((name) => /admin/.test(name));

describe('the first administrator', () => {
  it('is shown on a terminal, and its token stands in no file once it was shown', async () => {
    const first = await ensure(true);
    if (first.kind !== 'shown') throw new Error(`it was ${first.kind}`);
    expect(await isGood(first.token)).toBe(true);
    await first.confirm();
    expect(await tokenFiles()).toEqual([]);
    expect(await ensure(true)).toEqual({ kind: 'exists' });
  });

  it('is shown again when the start died before a person saw it', async () => {
    const first = await ensure(true);
    const again = await ensure(true);
    if (first.kind !== 'shown' || again.kind !== 'shown') throw new Error('nothing was shown');
    expect(again.token).toBe(first.token);
    expect(await isGood(again.token)).toBe(true);
  });

  it('goes to the 0600 file when the start that died was followed by one without a terminal', async () => {
    const first = await ensure(true);
    expect(await ensure(false)).toEqual({ kind: 'written', file: join(folder, 'admin-token') });
    expect(first.kind === 'shown' && first.token).toBe(await tokenInFile());
    expect(await tokenFiles()).toEqual(['admin-token']);
  });

  it('is made whole after a death between file and database, on a terminal or not', async () => {
    onAudit = () => {
      throw new Error('the process dies here');
    };
    for (const isTerminal of [true, false]) await expect(ensure(isTerminal)).rejects.toThrow('dies here');
    onAudit = () => {};
    expect(await ensure(false)).toMatchObject({ kind: 'written' });
    expect(await isGood(await tokenInFile())).toBe(true);
  });

  it('is a token that was put there before the very first start', async () => {
    const mounted = generateAdminToken();
    await writeFile(join(folder, 'admin-token'), mounted, { mode: 0o600 });
    expect(await ensure(true)).toMatchObject({ kind: 'written' });
    expect(await isGood(mounted)).toBe(true);
  });

  it('is refused when the file holds something else, and the file stays', async () => {
    await writeFile(join(folder, 'admin-token'), 'fake-note', { mode: 0o600 });
    await expect(ensure(false)).rejects.toThrow(/admin-token does not hold an admin token/);
    expect(await tokenInFile()).toBe('fake-note');
    expect(await tokens.count()).toBe(0);
  });
});

describe('who has lost every administrator', () => {
  it('gets a new one once the last token has run out, and the old one stays dead', async () => {
    await ensure(false);
    const old = await tokenInFile();
    const [first] = await tokens.list(TENANT);
    await tokens.create({ tenant: TENANT, name: 'short', role: 'admin', expiresAt: now + 1000 }, 'test');
    await tokens.delete({ tenant: TENANT, id: first?.id ?? '' }, 'test');
    expect(await ensure(false)).toEqual({ kind: 'exists' });
    now += 1000;
    expect(await ensure(false)).toMatchObject({ kind: 'written' });
    expect(await isGood(await tokenInFile())).toBe(true);
    expect(await isGood(old)).toBe(false);
  });

  it('gets a new one by the recovery file, once', async () => {
    await ensure(false);
    const old = await tokenInFile();
    await rm(join(folder, 'admin-token'));
    await writeFile(join(folder, 'recover-administrator'), '', { mode: 0o600 });
    expect(await ensure(false)).toMatchObject({ kind: 'written' });
    const made = await tokenInFile();
    expect(made).not.toBe(old);
    expect([await isGood(made), await isGood(old)]).toEqual([true, true]);
    expect(await tokenFiles()).toEqual(['admin-token']);
    expect(await ensure(false)).toEqual({ kind: 'exists' });
  });

  it('gets none by a recovery file that others may write to', async () => {
    await ensure(false);
    await writeFile(join(folder, 'recover-administrator'), '', { mode: 0o666 });
    await expect(ensure(false)).rejects.toThrow(/chmod 600/);
    expect(await tokens.count()).toBe(1);
  });

  it('does not get there by two administrators who delete each other at the same moment', async () => {
    await ensure(false);
    await tokens.create({ tenant: TENANT, name: 'second', role: 'admin', expiresAt: null }, 'test');
    const both = await tokens.list(TENANT);
    const ends = await Promise.allSettled(
      both.map(({ id }) => tokens.delete({ tenant: TENANT, id }, 'test')),
    );
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await tokens.hasAdministrator(TENANT)).toBe(true);
  });
});
