/** What a model file is, once it is open. */
export interface EngineInfo {
  readonly architecture: string;
  /** What computes: `amx-int8`, `avx512-vnni`, `avx2`, `scalar`. */
  readonly isa: string;
  readonly tokenizer: string;
  readonly vocabulary: number;
  /** Tokens. */
  readonly context: number;
  readonly width: number;
  readonly layers: number;
  readonly isEncoder: boolean;
  /** As packed in memory. */
  readonly weightBytes: number;
  readonly threads: number;
  /** Names of an encoder's labels, in the order of its answers. */
  readonly labels: readonly string[];
}

/** Counters since the engine was opened. */
export interface EngineStats {
  readonly requests: number;
  readonly completed: number;
  readonly refused: number;
  readonly cancelled: number;
  readonly late: number;
  readonly passes: number;
  readonly tokens: number;
  readonly cachedTokens: number;
  readonly queued: number;
  readonly running: number;
  readonly prefixes: number;
  readonly kvBytes: number;
  readonly computeMs: number;
}
