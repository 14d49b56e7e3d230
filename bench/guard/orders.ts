/** What an engine's process is started with. */
export interface EngineInput {
  readonly model: string;
  readonly threads: number;
  /** Ours: matrices of floats are rounded to int8 while they are read. */
  readonly int8?: boolean;
  /** Tokens that many requests begin with; 0: none. */
  readonly prefixTokens: number;
  /** Requests at a time. */
  readonly parallel: number;
}

/** One measurement: so many requests at once, each of so many new tokens, one scored position each. */
export interface EngineOrder {
  readonly tokens: number;
  readonly parallel: number;
  readonly behindPrefix: boolean;
  /** Peers: the prefix is computed anew for each request, as in slots that have not seen it. */
  readonly cold: boolean;
  readonly seed: number;
}

export interface EngineTimes {
  /** Of each request, ms. */
  readonly each: readonly number[];
  readonly totalMs: number;
  /** Processor time of the process, all its threads: on a busy machine it says more than the clock. */
  readonly processorMs: number;
  readonly peakMiB: number;
  /** Of the last request, where the model has its own labels: engines of the same weights must agree. */
  readonly logits?: readonly number[];
}
