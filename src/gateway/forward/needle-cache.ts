import { compileNeedles, type Needles } from '../../core/index.ts';
import { injectedForms, type OpenedCredential } from '../../vault/index.ts';

const MAX_ENTRIES = 256;

/**
 * What to look for in answers, for each version of a credential. Compiling takes a while; the entry is
 * forgotten as soon as the credential changes, since it can be turned back into the secret.
 */
export class NeedleCache {
  readonly #entries = new Map<string, Needles>();

  of(tenant: string, opened: OpenedCredential): Needles {
    const key = `${tenant}\n${opened.name}\n${opened.version}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= MAX_ENTRIES) this.#entries.clear();
    const needles = compileNeedles(injectedForms(opened));
    this.#entries.set(key, needles);
    return needles;
  }

  forget(tenant: string, name: string): void {
    const prefix = `${tenant}\n${name}\n`;
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
