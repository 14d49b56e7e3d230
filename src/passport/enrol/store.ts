/** A token with which agents register themselves (the initial access token of RFC 7591). */
export interface InitialTokenRecord {
  readonly tenant: string;
  readonly id: string;
  /** Unique for its tenant; stands in the log beside what was registered with it. */
  readonly name: string;
  /** Peppered HMAC-SHA-256; the token itself is never stored. */
  readonly hash: string;
  /** Who answers for the agents that it registers. */
  readonly owner: string;
  /** What those agents may have, at most. */
  readonly scopes: readonly string[];
  /** How many agents it registers, at most. */
  readonly maxUses: number;
  readonly used: number;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number;
}

/** That an agent registered itself, and the token with which it manages that (RFC 7592). */
export interface RegistrationRecord {
  readonly tenant: string;
  readonly agentId: string;
  readonly tokenHash: string;
  /** Id of the initial token. */
  readonly initialToken: string;
  readonly createdAt: number;
  readonly rotatedAt: number;
}

export interface EnrolmentStore {
  /** False when the id, the name or the hash is taken. */
  insertInitialToken(token: InitialTokenRecord): Promise<boolean>;
  initialTokenByHash(hash: string): Promise<InitialTokenRecord | null>;
  initialTokens(tenant: string): Promise<InitialTokenRecord[]>;
  /** False when there is none. */
  deleteInitialToken(tenant: string, id: string): Promise<boolean>;
  /** Counts one use; false, and nothing counted, when none is left or it has expired. */
  useInitialToken(tenant: string, id: string, now: number): Promise<boolean>;
  /** Initial tokens that expired before that. */
  deleteExpired(before: number): Promise<number>;
  insertRegistration(registration: RegistrationRecord): Promise<void>;
  registration(tenant: string, agentId: string): Promise<RegistrationRecord | null>;
  /** Compare-and-set: true for exactly one of those who show the token that `from` is the hash of. */
  rotateRegistration(change: {
    readonly tenant: string;
    readonly agentId: string;
    readonly from: string;
    readonly to: string;
    readonly now: number;
  }): Promise<boolean>;
  deleteRegistration(tenant: string, agentId: string): Promise<void>;
}
