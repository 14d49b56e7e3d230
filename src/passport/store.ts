import type { JsonObject, RevocationKind } from '../core/index.ts';

export interface AgentCertificate {
  /** base64url SHA-256 of its DER. */
  readonly x5t: string;
  /** For people; nothing is decided by it. */
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface AgentRecord {
  readonly tenant: string;
  /** Also the OAuth client_id. */
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  /** Public keys for private_key_jwt (RFC 7523), as JWKs with a `kid` each; may be empty. */
  readonly jwks: readonly JsonObject[];
  /** Peppered HMAC-SHA-256 of generated client secrets; the secrets themselves are never stored. */
  readonly secrets: readonly {
    readonly id: string;
    readonly hash: string;
    readonly createdAt: number;
    readonly expiresAt: number | null;
  }[];
  /** With which it may authenticate in the TLS handshake (RFC 8705 section 2.2). */
  readonly certificates: readonly AgentCertificate[];
  /** Whether its keys give way to another one with each use, so that a copy is noticed. */
  readonly ratchet: boolean;
  /** Scopes (`<service>:<access>`) that it may ask for. */
  readonly scopes: readonly string[];
  /** Where a browser may be sent back to with an authorization code; none: it has no such flow. */
  readonly redirectUris: readonly string[];
  /** Whether it may ask people by the device flow (RFC 8628). */
  readonly device: boolean;
  /** Whether it keeps no secret and authenticates with nothing (RFC 6749 section 2.1): it acts for people alone. */
  readonly publicClient: boolean;
  /** Stated by an administrator; what the agent is for. */
  readonly purpose: string | null;
  readonly status: 'active' | 'quarantined' | 'deleted';
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Grows by one with each change: the compare-and-set key. */
  readonly revision: number;
}

export interface AgentStore {
  /** False when the id or the name is taken. */
  insert(agent: AgentRecord): Promise<boolean>;
  /** Writes `agent` where the stored revision is `agent.revision - 1`; false when it is not. */
  update(agent: AgentRecord): Promise<boolean>;
  get(tenant: string, id: string): Promise<AgentRecord | null>;
  byName(tenant: string, name: string): Promise<AgentRecord | null>;
  list(
    tenant: string,
    page: { readonly after: string | null; readonly limit: number },
  ): Promise<AgentRecord[]>;
}

/** What is known of each issued passport: for listing and introspection, never the token itself. */
export interface PassportRecord {
  readonly tenant: string;
  readonly jti: string;
  readonly agentId: string;
  readonly owner: string;
  readonly user: string | null;
  readonly sid: string;
  readonly chain: readonly string[];
  readonly scope: string;
  readonly audience: string;
  readonly jkt: string | null;
  /** Hash of the certificate that it is bound to (RFC 8705 section 3.1). */
  readonly x5t: string | null;
  readonly grant: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** jti of the passport that it was exchanged from; null: it begins a chain. */
  readonly parent: string | null;
  /** Agents of its chain, the one that acts first. */
  readonly lineage: readonly string[];
  /** Authorization details (RFC 9396). */
  readonly details: readonly JsonObject[];
  /** Name of the key that signed it; null: it is from before that was kept. */
  readonly kid: string | null;
  /** The kid or secret id that its client authenticated with. */
  readonly credential: string | null;
  /** Its entry in the status lists; null: it has none. */
  readonly statusIndex: number | null;
}

/** How often the details that have a limit were used. */
export interface CallCountStore {
  /** Counts one call of a detail; false, and nothing counted, when `limit` calls were counted before. */
  take(call: {
    readonly tenant: string;
    readonly hop: string;
    readonly detail: number;
    readonly limit: number;
    /** When the count may be forgotten, since no passport can refer to it any more. */
    readonly expiresAt: number;
  }): Promise<boolean>;
  used(tenant: string, hop: string, detail: number): Promise<number>;
  deleteExpired(before: number): Promise<number>;
}

/** Which passport holds which entry of the status lists. */
export interface StatusEntryStore {
  /** True for exactly one caller until `freeAt` (rule 15 of docs/guarantees.md). */
  take(
    entry: { readonly tenant: string; readonly entry: number; readonly jti: string; readonly freeAt: number },
    now: number,
  ): Promise<boolean>;
  deleteFree(now: number): Promise<number>;
}

export interface PassportStore {
  insert(passport: PassportRecord): Promise<void>;
  get(tenant: string, jti: string): Promise<PassportRecord | null>;
  /** Newest first; live ones only when `liveAt` is given. */
  list(
    tenant: string,
    filter: {
      readonly agentId?: string;
      readonly userId?: string;
      readonly liveAt?: number;
      readonly after: string | null;
      readonly limit: number;
    },
  ): Promise<PassportRecord[]>;
  /** Those that hold an entry from `from` up to, not including, `to`, and have not expired at `liveAt`. */
  withStatus(
    tenant: string,
    range: { readonly from: number; readonly to: number; readonly liveAt: number },
  ): Promise<PassportRecord[]>;
  deleteExpired(before: number): Promise<number>;
}

export interface RevocationRecord {
  readonly tenant: string;
  readonly id: string;
  readonly kind: RevocationKind;
  /** jti, hop id, sid, agent id, owner, user, credential of an agent, or kid of a signing key. */
  readonly value: string;
  /** Passports issued at or before this moment are refused (ms). Token, hop and session: for good. */
  readonly revokedAt: number;
  /** When the entry may be forgotten, since all that it covers has expired; null: never. */
  readonly expiresAt: number | null;
  readonly by: string;
  readonly reason: string | null;
}

export interface RevocationStore {
  /** Durable when it resolves. Idempotent for the same kind and value (the later `revokedAt` wins). */
  insert(revocation: RevocationRecord): Promise<void>;
  list(
    tenant: string,
    page: { readonly after: string | null; readonly limit: number },
  ): Promise<RevocationRecord[]>;
  /** All live ones of every tenant: read once at start. */
  all(now: number): Promise<RevocationRecord[]>;
  deleteExpired(before: number): Promise<number>;
  /**
   * Calls `listener` for each revocation that any node inserts, this one included; resolves once it listens.
   * After a lost connection the implementation reconnects and calls `resync`, so that nothing is missed.
   */
  follow(
    listener: (revocation: RevocationRecord) => void,
    resync: () => void,
  ): Promise<{ stop(): Promise<void> }>;
}

/** A passport as it is about to be recorded, and what it takes. */
export interface Issue {
  /** Without an entry in the status lists yet. */
  readonly passport: PassportRecord;
  /** Revision of the agent's record that all was decided by. */
  readonly agentRevision: number;
  /** What may be used once, and is used up by this. */
  readonly once: readonly OidcRow[];
  /** Entries of the status lists to try, in this order; the first that is free is taken. */
  readonly statusEntries: Iterable<number>;
  /** When the entry may be given away again (ms). */
  readonly entryFreeAt: number;
}

export type IssueOutcome =
  /** Null: every entry that was tried is taken. */
  | { readonly kind: 'issued'; readonly statusIndex: number | null }
  /** The agent is not active any more, or was changed. */
  | { readonly kind: 'agent-changed' }
  /** One of `once` was used before. */
  | { readonly kind: 'used'; readonly at: number };

export interface IssueStore {
  /** All of it or nothing, and durable when it resolves to `issued`. */
  write(issue: Issue, now: number): Promise<IssueOutcome>;
}

/** Rows of oidc-provider's models (its adapter contract), kept as JSON. */
export interface OidcRow {
  readonly model: string;
  readonly id: string;
  readonly payload: JsonObject;
  readonly grantId: string | null;
  readonly userCode: string | null;
  readonly uid: string | null;
  /** Milliseconds since the epoch; null: does not expire. */
  readonly expiresAt: number | null;
  readonly consumedAt: number | null;
}

export interface OidcStore {
  upsert(row: OidcRow): Promise<void>;
  /** False when a live row with this model and id exists (replay detection). */
  insertIfAbsent(row: OidcRow, now: number): Promise<boolean>;
  find(model: string, id: string, now: number): Promise<OidcRow | null>;
  findByUid(model: string, uid: string, now: number): Promise<OidcRow | null>;
  findByUserCode(model: string, userCode: string, now: number): Promise<OidcRow | null>;
  /** Compare-and-set: true for exactly one caller. */
  consume(model: string, id: string, now: number): Promise<boolean>;
  destroy(model: string, id: string): Promise<void>;
  revokeByGrantId(model: string, grantId: string): Promise<void>;
  deleteExpired(before: number): Promise<number>;
}

/** Things that may be seen once: DPoP `jti`s, client assertions, … */
export interface ReplayStore {
  /** True for exactly one caller for each kind and key until `expiresAt` (ms). */
  insertIfAbsent(
    entry: { readonly kind: string; readonly key: string; readonly expiresAt: number },
    now: number,
  ): Promise<boolean>;
  deleteExpired(before: number): Promise<number>;
}
