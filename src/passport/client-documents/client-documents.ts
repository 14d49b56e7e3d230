import { createHash } from 'node:crypto';
import type { Clock } from '../../core/index.ts';
import { readAgentDraft } from '../agent-input.ts';
import type { AgentRegistry } from '../agents.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { AgentRecord, AgentStore } from '../store.ts';
import { DocumentCache } from './document-cache.ts';
import type { DocumentRule, FetchDocument } from './document-rule.ts';
import { isDocumentAddress } from './read-client-document.ts';

const ID_CHARS = 26;

export interface ClientDocumentsOptions {
  readonly tenant: string;
  readonly rules: readonly DocumentRule[];
  readonly fetch: FetchDocument;
  readonly store: AgentStore;
  readonly registry: AgentRegistry;
  readonly clock: Clock;
}

/**
 * Clients whose client_id is the address of a document about them (draft-ietf-oauth-client-id-metadata-document). An
 * administrator says which addresses; such a client becomes an agent like any other once its key has signed or a person
 * has let it act, and is quarantined, revoked and listed like any other.
 */
export class ClientDocuments {
  readonly #o: ClientDocumentsOptions;
  readonly #cache: DocumentCache;

  constructor(o: ClientDocumentsOptions) {
    this.#o = o;
    this.#cache = new DocumentCache(o);
    for (const { prefix } of o.rules) {
      const url = URL.parse(prefix);
      if (url?.protocol !== 'https:' || url.href !== prefix || !prefix.endsWith('/')) {
        throw new TypeError('issuer.clientDocuments: prefix must be an https URL that ends with a slash');
      }
    }
  }

  isAddress(clientId: string): boolean {
    return this.#o.rules.length > 0 && isDocumentAddress(clientId);
  }

  /** The agent as its document has it now; not stored yet where it is new. Throws OAuthFault('invalid_client'). */
  async read(address: string): Promise<AgentRecord> {
    const { rules, store, tenant, clock } = this.#o;
    const rule = rules.find(({ prefix }) => address.startsWith(prefix));
    if (rule === undefined) throw failed();
    const id = agentIdOf(address);
    const stored = await store.get(tenant, id);
    // Before anything is fetched: one that an administrator sent away causes no requests.
    if (stored !== null && stored.status !== 'active') throw failed();
    const document = await this.#cache.find(address, rule.allowPrivate);
    const { jwks = [] } = await readAgentDraft({ jwks: document.jwks ?? [] }).catch((cause: unknown) => {
      throw failed('the keys in the document of the client can not be used', cause);
    });
    const says = { jwks, redirectUris: document.redirectUris, publicClient: document.jwks === null };
    if (stored !== null) return { ...stored, ...says };
    const now = clock.now();
    return {
      tenant,
      id,
      name: nameOf(address, id),
      owner: rule.owner,
      ...says,
      secrets: [],
      certificates: [],
      ratchet: false,
      scopes: [...rule.scopes],
      device: false,
      purpose: null,
      status: 'active',
      createdAt: now,
      updatedAt: now,
      revision: 1,
    };
  }

  /** The name that the client gives itself, for people to see as such; null: none, or the document can't be had. */
  async nameOf(address: string): Promise<string | null> {
    const rule = this.#o.rules.find(({ prefix }) => address.startsWith(prefix));
    if (rule === undefined) return null;
    const document = await this.#cache.find(address, rule.allowPrivate).catch(() => null);
    return document?.name ?? null;
  }

  /** Stores what the document says, now that a key of it has signed or a person let it act. Throws OAuthFault('invalid_client'). */
  async admit(address: string, read: AgentRecord): Promise<AgentRecord> {
    const { store, tenant, registry } = this.#o;
    const by = `client document ${address}`;
    await registry.keep(read, by);
    const agent = await store.get(tenant, read.id);
    if (agent?.status !== 'active') throw failed();
    return agent;
  }
}

/** The id of the agent behind an address: always the same, so that what was decided about it stays. */
export function agentIdOf(address: string): string {
  const digest = createHash('sha256').update(address).digest('hex');
  return `agent_${BigInt(`0x${digest}`).toString(36).padStart(50, '0').slice(0, ID_CHARS)}`;
}

function nameOf(address: string, id: string): string {
  const host = new URL(address).hostname.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
  return `${host.slice(0, 40)}-${id.slice(-10)}`;
}

function failed(description = 'client authentication failed', cause?: unknown): OAuthFault {
  return new OAuthFault('invalid_client', description, { cause });
}
