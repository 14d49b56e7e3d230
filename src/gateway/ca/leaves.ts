import { createSecureContext, type SecureContext } from 'node:tls';
import type { CertificateAuthority, LeafKey } from './certificate-authority.ts';

const MAX_CONTEXTS = 512;
/** A leaf is not handed out in the last part of its life. */
const MARGIN_MS = 60 * 60_000;

interface Entry {
  readonly context: Promise<SecureContext>;
  readonly goodUntil: number;
}

/** TLS contexts by authority and host; the ones that were not used for longest go first. */
export class Leaves {
  readonly #key: LeafKey;
  readonly #now: () => number;
  readonly #byAuthority = new WeakMap<CertificateAuthority, Map<string, Entry>>();

  constructor(key: LeafKey, now: () => number) {
    this.#key = key;
    this.#now = now;
  }

  context(authority: CertificateAuthority, host: string): Promise<SecureContext> {
    const contexts = this.#contextsOf(authority);
    const known = contexts.get(host);
    const now = this.#now();
    if (known !== undefined && known.goodUntil > now) {
      contexts.delete(host);
      contexts.set(host, known);
      return known.context;
    }
    const oldest = contexts.keys().next();
    if (contexts.size >= MAX_CONTEXTS && oldest.done !== true) contexts.delete(oldest.value);
    const context = this.#make(authority, host, now);
    contexts.set(host, {
      context,
      goodUntil: Math.min(now + 12 * MARGIN_MS, authority.expiresAt - MARGIN_MS / 60),
    });
    context.catch(() => contexts.delete(host));
    return context;
  }

  #contextsOf(authority: CertificateAuthority): Map<string, Entry> {
    const known = this.#byAuthority.get(authority);
    if (known !== undefined) return known;
    const contexts = new Map<string, Entry>();
    this.#byAuthority.set(authority, contexts);
    return contexts;
  }

  async #make(authority: CertificateAuthority, host: string, now: number): Promise<SecureContext> {
    const leaf = await authority.issueLeaf(host, this.#key, now);
    return createSecureContext({ cert: leaf.chainPem, key: this.#key.pem, minVersion: 'TLSv1.2' });
  }
}
