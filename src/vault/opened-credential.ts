import type { InjectorSpec, SecretBytes } from '../core/index.ts';
import type { Opened } from './envelope.ts';
import { injectorOf, type OutboundDraft } from './injectors/index.ts';
import type { CredentialRecord } from './store.ts';

/**
 * A credential that is open for one call. Dispose of it as soon as the request head is written: the secret is
 * wiped then. Egress must use the trust that was sealed with it, not what the service says.
 */
export interface OpenedCredential {
  readonly name: string;
  readonly version: number;
  readonly injector: InjectorSpec;
  /** PEM that the upstream's certificate must chain to; null: the system's authorities. */
  readonly upstreamCa: string | null;
  readonly allowPrivate: boolean;
  readonly secret: SecretBytes;
  [Symbol.dispose](): void;
}

export function toOpenedCredential(record: CredentialRecord, opened: Opened): OpenedCredential {
  return {
    name: record.name,
    version: record.version,
    injector: record.binding.injector,
    upstreamCa: record.binding.upstreamCa,
    allowPrivate: record.binding.allowPrivate,
    secret: opened.secret,
    [Symbol.dispose]: opened.release,
  };
}

/**
 * The outbound request with the secret in it. What the agent sent in that place itself is replaced. Header
 * values are byte strings (one character a byte): write them as latin1.
 */
export function inject(opened: OpenedCredential, draft: OutboundDraft): OutboundDraft {
  return opened.secret.use((secret) => injectorOf(opened.injector).inject(secret, draft));
}

/**
 * The secret and every whole value made of it (the token of Basic), for the scrubber. These are copies that
 * outlive the opened credential: give them to `compileNeedles` and to nothing else.
 */
export function injectedForms(opened: OpenedCredential): readonly Uint8Array[] {
  return opened.secret.use((secret) => [
    Uint8Array.from(secret),
    ...injectorOf(opened.injector).derived(secret),
  ]);
}
