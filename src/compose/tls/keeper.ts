import { constants } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { AuditEvent, Clock } from '../../core/index.ts';
import { loadPair, type PairFiles, type TlsPair } from './pair.ts';

/** The files are looked at so often; a folder watch would miss pairs that are swapped by a link. */
const LOOK_EVERY_MS = 5_000;

/** RFC 9325: forward secrecy and AEAD alone; in TLS 1.3 there is nothing else. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export interface TlsKeeperOptions {
  readonly listener: 'control' | 'gateway';
  readonly files: PairFiles;
  readonly minVersion: '1.2' | '1.3';
  /** Whether the listener asks clients for a certificate. */
  readonly clientCertificates: boolean;
  readonly clock: Clock;
  readonly tenant: string;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  /** Told when the audit log can't take the record of a change. */
  readonly onFault: (fault: unknown) => void;
  /** How often the files are looked at. */
  readonly lookEveryMs?: number;
}

/**
 * The certificate that a listener shows. New files take force without a restart, for connections from then on;
 * a broken new pair changes nothing but a record that says so.
 */
export class TlsKeeper {
  readonly #o: TlsKeeperOptions;
  readonly #timer: NodeJS.Timeout;
  #pair: TlsPair;
  /** What the files looked like when they were last read, whether they were good or not. */
  #seen: string;
  #attached: ((options: SecureContextOptions) => void) | null = null;
  #turn: Promise<void> = Promise.resolve();

  private constructor(o: TlsKeeperOptions, pair: TlsPair, seen: string) {
    this.#o = o;
    this.#pair = pair;
    this.#seen = seen;
    this.#timer = setInterval(() => void this.#look(), o.lookEveryMs ?? LOOK_EVERY_MS).unref();
  }

  /** Throws TlsPairError or KeyFileError: there is no older pair to go on with. */
  static async open(o: TlsKeeperOptions): Promise<TlsKeeper> {
    const seen = await appearance(o.files);
    const pair = await loadPair(o.files, o.clock.now());
    const keeper = new TlsKeeper(o, pair, seen);
    await keeper.#recordLoaded();
    return keeper;
  }

  get clientCertificates(): boolean {
    return this.#o.clientCertificates;
  }

  get listener(): 'control' | 'gateway' {
    return this.#o.listener;
  }

  /** Milliseconds since the epoch. */
  get expiresAt(): number {
    return this.#pair.expiresAt;
  }

  /** False when no client that calls the listener by this name could trust it. */
  names(host: string): boolean {
    const { leaf } = this.#pair;
    return (isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) !== undefined;
  }

  /** What the listener is made with. */
  get options(): SecureContextOptions {
    return {
      cert: this.#pair.chainPem,
      key: this.#pair.keyPem,
      minVersion: `TLSv${this.#o.minVersion}`,
      ciphers: CIPHERS,
      // A resumed session would carry a certificate that nobody proved the key of in this handshake.
      ...(this.#o.clientCertificates ? { secureOptions: constants.SSL_OP_NO_TICKET } : {}),
    };
  }

  /** `setContext` is called for each new pair. */
  attach(setContext: (options: SecureContextOptions) => void): void {
    this.#attached = setContext;
  }

  /** Reads the files now. Resolves when they are in force, or were rejected and recorded. */
  reload(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#load()).catch(this.#o.onFault);
    return this.#turn;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
  }

  async #look(): Promise<void> {
    if ((await appearance(this.#o.files)) !== this.#seen) await this.reload();
  }

  async #load(): Promise<void> {
    const { files, clock } = this.#o;
    // Looked at before reading: a file that changes meanwhile is read once more.
    this.#seen = await appearance(files);
    let pair: TlsPair;
    try {
      pair = await loadPair(files, clock.now());
    } catch (fault) {
      await this.#record({ type: 'tls.rejected', data: { fault: messageOf(fault) } });
      return;
    }
    if (pair.chainPem === this.#pair.chainPem && pair.keyPem === this.#pair.keyPem) return;
    this.#pair = pair;
    this.#attached?.(this.options);
    await this.#recordLoaded();
  }

  #recordLoaded(): Promise<unknown> {
    const { fingerprint, expiresAt } = this.#pair;
    return this.#record({ type: 'tls.loaded', data: { fingerprint, expiresAt } });
  }

  #record(
    what:
      | {
          readonly type: 'tls.loaded';
          readonly data: { readonly fingerprint: string; readonly expiresAt: number };
        }
      | { readonly type: 'tls.rejected'; readonly data: { readonly fault: string } },
  ): Promise<unknown> {
    const { listener, tenant, clock, audit } = this.#o;
    const envelope = { tenant, at: clock.now() };
    return what.type === 'tls.loaded'
      ? audit({ ...envelope, type: what.type, data: { listener, ...what.data } })
      : audit({ ...envelope, type: what.type, data: { listener, ...what.data } });
  }
}

async function appearance(files: PairFiles): Promise<string> {
  const looks = await Promise.all(
    [files.certificate, files.key].map(async (file) => {
      const found = await stat(file, { bigint: true }).catch(() => null);
      return found === null ? 'missing' : `${found.ino}.${found.size}.${found.mtimeNs}.${found.mode}`;
    }),
  );
  return looks.join(' ');
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault);
}
