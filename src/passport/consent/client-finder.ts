import type { AgentDirectory } from '../agent-directory.ts';
import type { ClientDocuments } from '../client-documents/client-documents.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { AgentRecord } from '../store.ts';

/** An agent that sends a person here, and how it calls itself. */
export interface FoundClient {
  /** As it names itself: its id, or the address of its document. */
  readonly clientId: string;
  /** Not stored yet where it is known by its document alone. */
  readonly agent: AgentRecord;
  /** Its own words; null: what stands in the registry is all. */
  readonly claimedName: string | null;
}

const VISIBLE = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{1,80}$/u;

/** Finds the agent that a client_id names, before it has proved anything. */
export class ClientFinder {
  readonly #directory: AgentDirectory;
  readonly #documents: ClientDocuments;

  constructor(o: { readonly directory: AgentDirectory; readonly documents: ClientDocuments }) {
    this.#directory = o.directory;
    this.#documents = o.documents;
  }

  /** Null for one that is not known or may get nothing now. */
  async find(clientId: string): Promise<FoundClient | null> {
    if (!this.#documents.isAddress(clientId)) {
      const agent = await this.#directory.find(clientId);
      return agent?.status === 'active' ? { clientId, agent, claimedName: null } : null;
    }
    const agent = await this.#documents.read(clientId).catch((fault: unknown) => {
      if (fault instanceof OAuthFault) return null;
      throw fault;
    });
    if (agent === null) return null;
    const name = await this.#documents.nameOf(clientId);
    return { clientId, agent, claimedName: name !== null && VISIBLE.test(name) ? name : null };
  }

  /** The agent in the registry, now that a person lets it act. Throws OAuthFault('invalid_client'). */
  async admit({ clientId, agent }: FoundClient): Promise<AgentRecord> {
    return this.#documents.isAddress(clientId) ? this.#documents.admit(clientId, agent) : agent;
  }
}
