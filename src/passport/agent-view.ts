import type { JsonObject, SecretBytes } from '../core/index.ts';
import type { AgentDraft } from './agent-input.ts';
import type { AgentRecord } from './store.ts';

/** An agent as administrators see it: never a hash of a secret. */
export interface AgentView {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly jwks: readonly JsonObject[];
  readonly secrets: readonly {
    readonly id: string;
    readonly createdAt: number;
    readonly expiresAt: number | null;
  }[];
  readonly certificates: AgentRecord['certificates'];
  readonly ratchet: boolean;
  readonly scopes: readonly string[];
  readonly redirectUris: readonly string[];
  readonly device: boolean;
  readonly publicClient: boolean;
  readonly purpose: string | null;
  readonly status: AgentRecord['status'];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly revision: number;
}

type Optional = 'jwks' | 'certificates' | 'ratchet' | 'purpose' | 'redirectUris' | 'device';

export type NewAgent = Omit<AgentDraft, Optional> &
  Partial<Pick<AgentDraft, Optional>> & {
    /** Also make a client secret. */
    readonly withSecret?: boolean;
    /** It keeps no secret and has no credential: it acts for people alone, by redirect URIs or the device flow. */
    readonly publicClient?: boolean;
  };

/** The secret is shown this once and stored as a peppered hash alone. */
export interface WithSecret {
  readonly agent: AgentView;
  readonly secret: SecretBytes | null;
}

/** The registry of agents. Each change is durable, effective and audited when it resolves. */
export interface Agents {
  /** Throws Refusal: input_invalid, conflict (the name is taken). */
  register(agent: NewAgent, by: string): Promise<WithSecret>;
  /** What takes a right away (a scope, a key, the owner) also ends the live passports. */
  update(id: string, changes: Partial<AgentDraft>, by: string): Promise<AgentView>;
  /** A new secret; the older ones stay good for `overlapSeconds` (0: they and their passports end now). */
  rotateSecret(id: string, o: { readonly overlapSeconds: number }, by: string): Promise<WithSecret>;
  remove(id: string, by: string): Promise<void>;
  /** Nothing is issued to it and its live passports end, until it is released. */
  quarantine(id: string, reason: string | null, by: string): Promise<AgentView>;
  release(id: string, by: string): Promise<AgentView>;
  get(id: string): Promise<AgentView | null>;
  byName(name: string): Promise<AgentView | null>;
  list(page: { readonly after: string | null; readonly limit: number }): Promise<AgentView[]>;
}

export function viewOf({ tenant: _tenant, secrets, ...agent }: AgentRecord): AgentView {
  return {
    ...agent,
    secrets: secrets.map(({ id, createdAt, expiresAt }) => ({ id, createdAt, expiresAt })),
  };
}
