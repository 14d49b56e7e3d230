import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TlsKeeper } from '../../../src/compose/tls/keeper.ts';
import { loadPair } from '../../../src/compose/tls/pair.ts';
import type { AuditEvent } from '../../../src/core/index.ts';
import { makeTestAuthority, type TestAuthority } from '../../support/certificates.ts';

const DAY_MS = 86_400_000;
let authority: TestAuthority;
let folder: string;
let files: { readonly certificate: string; readonly key: string };
beforeAll(async () => {
  authority = await makeTestAuthority();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-tls-'));
  files = { certificate: join(folder, 'tls.pem'), key: join(folder, 'tls.key') };
  await place('gate.test');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function place(...hosts: string[]): Promise<void> {
  const { cert, key } = await authority.issue(...hosts);
  await writeFile(files.certificate, cert);
  await writeFile(files.key, key, { mode: 0o600 });
}

const load = (now = Date.now()) => loadPair(files, now);

describe('a certificate and its key', () => {
  it('are read with the chain behind them, also through links', async () => {
    const leaf = await readFile(files.certificate, 'utf8');
    await writeFile(files.certificate, `${leaf}\n${authority.certificatePem}`);
    await symlink(files.key, join(folder, 'live.key'));
    const pair = await loadPair({ ...files, key: join(folder, 'live.key') }, Date.now());
    expect(pair.chainPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(pair.leaf.checkHost('gate.test')).toBe('gate.test');
    expect(pair.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it('are refused when they are of two pairs', async () => {
    await writeFile(files.key, (await authority.issue('x.test')).key);
    await expect(load()).rejects.toThrow(/tls\.key does not belong to the certificate in .*tls\.pem/);
  });

  it('are refused when others can read the key', async () => {
    await chmod(files.key, 0o640);
    await expect(load()).rejects.toThrow(/tls\.key can be read or changed by others .*chmod 600/);
  });

  it('are refused before and after their time', async () => {
    await expect(load(Date.now() + 3 * DAY_MS)).rejects.toThrow(/tls\.pem expired at .*; renew it/);
    await expect(load(Date.now() - 3 * DAY_MS)).rejects.toThrow(/tls\.pem is valid from/);
  });

  it('are refused when the chain is out of order', async () => {
    const leaf = await readFile(files.certificate, 'utf8');
    const stranger = await makeTestAuthority('Another one');
    await writeFile(files.certificate, `${leaf}\n${stranger.certificatePem}`);
    await expect(load()).rejects.toThrow(/tls\.pem is not in order: certificate 1 was not signed/);
  });

  it('are refused when a file is missing, empty, garbage, encrypted or a folder, without repeating it', async () => {
    const marker = 'FAKE-KEY-MATERIAL';
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: marker },
    });
    for (const text of [
      '',
      marker,
      `-----BEGIN PRIVATE KEY-----\n${marker}\n-----END PRIVATE KEY-----\n`,
      privateKey,
    ]) {
      await writeFile(files.key, text);
      const fault = await load().catch((cause: unknown) => cause);
      expect(fault).toBeInstanceOf(Error);
      expect(String(fault)).toMatch(/tls\.key (holds no private key|is encrypted)/);
      expect(String(fault)).not.toContain(marker);
    }
    await rm(files.key);
    await expect(load()).rejects.toThrow(/tls\.key can not be read/);
    await expect(loadPair({ ...files, certificate: folder }, Date.now())).rejects.toThrow(/no.* plain file/);
    await writeFile(files.certificate, 'nothing');
    await place('gate.test');
    await writeFile(files.certificate, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    await expect(load()).rejects.toThrow(/certificate that can not be read/);
  });
});

describe('TlsKeeper', () => {
  it('records what it loads and rejects, puts good pairs in force, and keeps the last good one', async () => {
    const events: AuditEvent[] = [];
    const contexts: unknown[] = [];
    const keeper = await TlsKeeper.open({
      listener: 'gateway',
      files,
      minVersion: '1.3',
      clientCertificates: false,
      clock: { now: () => Date.now() },
      tenant: 'default',
      audit: async (event) => events.push(event),
      onFault: (fault) => events.push(fault as never),
      lookEveryMs: 60_000,
    });
    keeper.attach((context) => contexts.push(context));
    const first = keeper.options;
    expect(first).toMatchObject({ minVersion: 'TLSv1.3' });
    await keeper.reload();
    await writeFile(files.certificate, 'broken');
    await keeper.reload();
    expect(contexts).toEqual([]);
    expect(keeper.options).toEqual(first);
    await place('other.test', '10.1.2.3');
    await keeper.reload();
    expect(contexts).toEqual([keeper.options]);
    expect(keeper.options).not.toEqual(first);
    expect([keeper.names('other.test'), keeper.names('10.1.2.3'), keeper.names('gate.test')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(events.map(({ type }) => type)).toEqual(['tls.loaded', 'tls.rejected', 'tls.loaded']);
    await keeper.close();
  });
});
