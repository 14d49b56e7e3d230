import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';

/** What the child's programs should trust: two files in a folder of the run, mode 0700. */
export class TrustFolder {
  readonly #folder: string;
  readonly #extraPem: string;
  readonly #removeAtExit: () => void;
  /** The gate's authority, for programs that add it to what they trust already. */
  readonly authorityFile: string;
  /** The gate's authority and the system's, for programs that trust one file alone. */
  readonly bundleFile: string;

  /** Where this run's hooks are answered. */
  readonly hookSocket: string;

  private constructor(folder: string, extraPem: string) {
    this.#folder = folder;
    this.#extraPem = extraPem;
    this.authorityFile = join(folder, 'sallyport-ca.pem');
    this.bundleFile = join(folder, 'ca-bundle.pem');
    this.hookSocket = join(folder, 'hook.sock');
    // Also when the process ends by itself before `remove`.
    this.#removeAtExit = () => rmSync(folder, { recursive: true, force: true });
    process.once('exit', this.#removeAtExit);
  }

  /** `extraFiles`: certificates that the user's own environment had added; those that can't be read are left out. */
  static async create(extraFiles: readonly string[]): Promise<TrustFolder> {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-run-'));
    const extra = await Promise.all(extraFiles.map((file) => readFile(file, 'utf8').catch(() => '')));
    return new TrustFolder(folder, extra.join('\n'));
  }

  /** Puts both files in place at once for each reader: a program that reads them meanwhile sees old or new. */
  async write(authorityPem: string): Promise<void> {
    await replaceFile(this.authorityFile, `${authorityPem}\n${this.#extraPem}`);
    await replaceFile(this.bundleFile, `${authorityPem}\n${this.#extraPem}\n${systemRoots().join('\n')}\n`);
  }

  async remove(): Promise<void> {
    process.off('exit', this.#removeAtExit);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What OpenSSL finds on this machine; in a bare container that is nothing, and Node's own list serves. */
function systemRoots(): string[] {
  const system = tls.getCACertificates('system');
  return system.length > 0 ? system : tls.getCACertificates('bundled');
}

async function replaceFile(file: string, text: string): Promise<void> {
  const fresh = `${file}.${randomUUID()}`;
  await writeFile(fresh, text, { mode: 0o600, flag: 'wx' });
  await rename(fresh, file);
}
