/** A piece of what the guard reads; the role says who wrote it. Scrubbed text: the guard sees no secret. */
export interface GuardSegment {
  readonly role: 'instruction' | 'call' | 'result';
  readonly text: string;
}

/** What is known of the guard, as status outputs show it. */
export type GuardStatus =
  /** There is none, and the gate works without. */
  | { readonly kind: 'absent'; readonly reason: string }
  /** It loads its model. */
  | { readonly kind: 'starting' }
  | {
      readonly kind: 'ready';
      /** Name of the model file. */
      readonly model: string;
      /** What computes: `cpu avx512`, `cuda`. */
      readonly backend: string;
      readonly architecture: string;
      readonly preset: string;
    }
  /** There should be one, and it does not work; `since` is ms since the epoch. */
  | { readonly kind: 'failing'; readonly reason: string; readonly since: number };

/**
 * A score of 0 to 1 for each label that the model answers. `absent`: no opinion, and none is needed. `late`: an
 * opinion is needed and did not come in time, because the guard is slow, dead or lost: what `detector.onLate` says
 * then holds, never an allow by accident (G9).
 */
export type GuardScores = ReadonlyMap<string, number> | 'absent' | 'late';

/** A model on this machine that scores what an agent reads and does. Its scores can only raise risk. */
export interface Guard {
  readonly status: GuardStatus;
  /** Settles at the deadline at the latest, and never rejects. */
  score(o: {
    /** Whose text it is: what is remembered of it serves that tenant alone. */
    readonly tenant: string;
    readonly segments: readonly GuardSegment[];
    readonly labels: readonly string[];
    readonly deadlineMs: number;
  }): Promise<GuardScores>;
}
