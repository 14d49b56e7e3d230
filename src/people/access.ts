/** Something that an agent holds in a user's name, from where a person said yes on. */
export interface AccessView {
  /** What ends with it: everything that was made from it. */
  readonly id: string;
  readonly agent: string;
  readonly agentId: string;
  /** Agents that it was passed on to. */
  readonly others: readonly string[];
  readonly scope: string;
  readonly audience: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly until: number;
}

/** What agents hold in a user's name. */
export interface UserAccess {
  list(userId: string): Promise<readonly AccessView[]>;
  /** Durable and effective when it resolves; false for what is not this user's. */
  end(userId: string, id: string, by: string): Promise<boolean>;
}
