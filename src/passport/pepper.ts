import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { loadOrCreateRandomKey } from '../files/index.ts';
import type { AgentRecord } from './store.ts';

export const PEPPER_FILE = 'passport-pepper.key';
const SECRET_BYTES = 32;

/** What an agent proved itself with: the root of its lineage. */
export type AuthenticatedBy =
  | { readonly kind: 'key'; readonly kid: string }
  | { readonly kind: 'secret'; readonly id: string }
  /** The certificate whose hash `id` is. */
  | { readonly kind: 'certificate'; readonly id: string }
  /** Nothing: a program on people's machines, which keeps no secret (RFC 6749 section 2.1). */
  | { readonly kind: 'public' }
  /** A token of a platform that the rule `id` trusts; `subject`: hash of whom it named. */
  | { readonly kind: 'workload'; readonly id: string; readonly subject: string };

/**
 * A key outside the database, so that a copy of the database alone neither shows client secrets nor lets
 * anybody make one. Each use has its own label.
 */
export class Pepper {
  /** Loaded once: Node takes longer to look at the bytes of a key than to use them. */
  readonly #key: KeyObject;

  constructor(key: Buffer) {
    this.#key = createSecretKey(key);
  }

  /** Reads `passport-pepper.key`, or makes it (0600). Throws KeyFileError when it is damaged. */
  static async open(keysDirectory: string): Promise<Pepper> {
    return new Pepper(await loadOrCreateRandomKey(join(keysDirectory, PEPPER_FILE), 'client secrets'));
  }

  hashSecret(tenant: string, agentId: string, secret: string): string {
    return this.#mac('client-secret', [tenant, agentId, secret]).toString('base64url');
  }

  /** Of a token that is looked up by its hash. `label`: what it is for. */
  hashToken(label: string, parts: readonly string[]): string {
    return this.#mac(label, parts).toString('base64url');
  }

  /** The id of the live secret that `secret` is, or null. */
  matchSecret(agent: AgentRecord, secret: string, now: number): string | null {
    const shown = this.#mac('client-secret', [agent.tenant, agent.id, secret]);
    let found: string | null = null;
    for (const { id, hash, expiresAt } of agent.secrets) {
      const stored = Buffer.from(hash, 'base64url');
      const alike = stored.length === shown.length && timingSafeEqual(stored, shown);
      if (alike && (expiresAt === null || expiresAt > now)) found = id;
    }
    return found;
  }

  /**
   * The session of an agent and one of its keys or secrets: the same after a renewal, a restart or with a new
   * DPoP key, so that a fresh passport is no fresh start (rule 3 of docs/guarantees.md).
   */
  sessionOf(agent: AgentRecord, by: AuthenticatedBy): string {
    const credential = by.kind === 'workload' ? `${by.id} ${by.subject}` : credentialOf(by);
    const mac = this.#mac('session', [agent.tenant, agent.id, by.kind, credential]);
    return `session_${mac.subarray(0, 18).toString('base64url')}`;
  }

  /** The session of an agent that acts for a user: the same after a new consent, so that it is no fresh start. */
  sessionFor(agent: AgentRecord, userId: string): string {
    const mac = this.#mac('session-for-user', [agent.tenant, agent.id, userId]);
    return `session_${mac.subarray(0, 18).toString('base64url')}`;
  }

  /** A 32-byte key for another use. */
  derive(label: string): Buffer {
    return this.#mac(label, []);
  }

  #mac(label: string, parts: readonly string[]): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([label, ...parts]))
      .digest();
  }
}

/** How a passport names what its agent authenticated with. */
export function credentialOf(by: AuthenticatedBy): string {
  switch (by.kind) {
    case 'key':
      return by.kid;
    case 'secret':
    case 'certificate':
      return by.id;
    case 'workload':
      return `workload ${by.id}`;
    case 'public':
      return 'none';
  }
}

/** A client secret of 256 random bits. The prefix lets secret scanners know it. */
export function newClientSecret(): string {
  return `spcs_${randomBytes(SECRET_BYTES).toString('base64url')}`;
}
