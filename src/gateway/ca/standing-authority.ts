import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { AuditEvent, Clock, JsonObject, Service } from '../../core/index.ts';
import type { Vault } from '../../vault/index.ts';
import { DEFAULT_TENANT } from '../summaries.ts';
import { CertificateAuthority } from './certificate-authority.ts';

const LIFETIME_MS = 90 * 24 * 60 * 60_000;
const CONTEXT = 'gateway-ca';

const fileSchema = z.strictObject({
  certificatePem: z.string(),
  hosts: z.array(z.string()),
  /** PKCS#8 under the vault's keys. */
  sealedKey: z.base64(),
});

export interface StandingAuthorityOptions {
  /** File of the certificate and the sealed key. */
  readonly file: string;
  readonly vault: Pick<Vault, 'sealBlob' | 'openBlob'>;
  readonly clock: Clock;
  readonly services: () => readonly Service[];
  readonly audit: (event: AuditEvent) => Promise<unknown>;
}

/**
 * The longer-lived authority, for clients that are set up once. It may name the hosts of the registered
 * services and nothing else, so it is made anew when they change: clients then need the new certificate.
 */
export class StandingAuthority {
  readonly #options: StandingAuthorityOptions;
  #current: CertificateAuthority | null = null;
  #pending: Promise<CertificateAuthority> = Promise.reject(new Error('none was asked for yet'));

  constructor(options: StandingAuthorityOptions) {
    this.#options = options;
    this.#pending.catch(() => undefined);
  }

  /** The authority for the services as they are now. Throws when its file can't be read or written. */
  current(): Promise<CertificateAuthority> {
    const known = this.#current;
    if (known !== null && this.#fits(known)) return Promise.resolve(known);
    this.#pending = this.#pending
      .catch(() => null)
      .then((last) => (last !== null && this.#fits(last) ? last : this.#renew()));
    return this.#pending;
  }

  async status(): Promise<JsonObject> {
    const authority = await this.current();
    return { hosts: [...authority.hosts], expiresAt: authority.expiresAt, constrained: true };
  }

  /** PEM for a client's trust store. Audited. */
  async export(tenant: string, by: string): Promise<string> {
    const authority = await this.current();
    await this.#record('ca.exported', tenant, by, authority);
    return authority.certificatePem;
  }

  #fits(authority: CertificateAuthority): boolean {
    const hosts = this.#hosts();
    return (
      authority.expiresAt - this.#options.clock.now() > LIFETIME_MS / 10 &&
      hosts.length === authority.hosts.size &&
      hosts.every((host) => authority.hosts.has(host))
    );
  }

  #hosts(): string[] {
    const hosts = this.#options
      .services()
      .flatMap(({ origins }) => origins.filter(({ scheme }) => scheme === 'https').map(({ host }) => host));
    return [...new Set(hosts)].sort();
  }

  async #renew(): Promise<CertificateAuthority> {
    const stored = await this.#read();
    if (stored !== null && this.#fits(stored)) {
      this.#current = stored;
      return stored;
    }
    const hosts = this.#hosts();
    const { authority, exportKey } = await CertificateAuthority.make({
      name: 'Sallyport gateway',
      hosts,
      lifetimeMs: LIFETIME_MS,
      now: this.#options.clock.now(),
    });
    const pkcs8 = await exportKey();
    const sealedKey = Buffer.from(this.#options.vault.sealBlob(CONTEXT, pkcs8)).toString('base64');
    pkcs8.fill(0);
    await this.#record('ca.issued', DEFAULT_TENANT, 'gateway', authority);
    await writeWhole(
      this.#options.file,
      JSON.stringify({ certificatePem: authority.certificatePem, hosts, sealedKey }),
    );
    this.#current = authority;
    return authority;
  }

  async #read(): Promise<CertificateAuthority | null> {
    const { file, vault } = this.#options;
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    });
    if (text === null) return null;
    try {
      const { certificatePem, hosts, sealedKey } = fileSchema.parse(JSON.parse(text));
      using secret = vault.openBlob(CONTEXT, Buffer.from(sealedKey, 'base64'));
      // `use` lends the bytes for a synchronous call; the import takes a copy at once.
      const pkcs8 = secret.use((bytes) => Uint8Array.from(bytes));
      return await CertificateAuthority.restore({ certificatePem, hosts, pkcs8 }).finally(() =>
        pkcs8.fill(0),
      );
    } catch (cause) {
      throw new Error(
        `${file} is damaged or sealed by another vault; remove it to have a new authority made`,
        { cause },
      );
    }
  }

  #record(
    type: 'ca.issued' | 'ca.exported',
    tenant: string,
    by: string,
    authority: CertificateAuthority,
  ): Promise<unknown> {
    const { audit, clock } = this.#options;
    const changes = { hosts: [...authority.hosts], expiresAt: authority.expiresAt };
    return audit({ type, tenant, at: clock.now(), data: { id: 'gateway', by, changes } });
  }
}

/** The whole file or the old one, never a half: written beside, synced, renamed. */
async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.new`;
  const handle = await open(beside, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
}
