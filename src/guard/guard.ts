/** A piece of what the guard reads; the role says who wrote it. Scrubbed text: the guard sees no secret. */
export interface GuardSegment {
  readonly role: 'instruction' | 'call' | 'result';
  readonly text: string;
}

/** What is known of the guard, as status outputs show it. */
export interface GuardStatus {
  readonly kind: 'absent';
  readonly reason: string;
}

/** A model on this machine that scores what an agent reads and does. Its scores can only raise risk. */
export interface Guard {
  readonly status: GuardStatus;
  /** A score of 0 to 1 for each label; `absent`: no opinion, which is never taken for a good one. */
  score(o: {
    readonly segments: readonly GuardSegment[];
    readonly labels: readonly string[];
    readonly deadlineMs: number;
  }): Promise<ReadonlyMap<string, number> | 'absent'>;
}
