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
  /** Where layers are computed: `cpu`, `simulated`, or the name of a device. */
  readonly backend: string;
  /** Why no CUDA device computes where the engine could choose; else empty. */
  readonly fallback: string;
  /** Of CUDA, as 1000 · major + 10 · minor; 0 without a device. */
  readonly cudaDriver: number;
  /** Of the device, when the model had been loaded. */
  readonly deviceTotalBytes: number;
  readonly deviceFreeBytes: number;
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
  /** Layers, by where they lie now. */
  readonly layersOnDevice: number;
  readonly layersPinned: number;
  readonly layersOnDisk: number;
  /** Of the ring that streamed layers pass through. */
  readonly ringSlots: number;
  /** Of layers and the ring. */
  readonly deviceBytes: number;
  /** Of pinned layers, what the system may not put aside. */
  readonly lockedBytes: number;
  /** That a pass took out of the ring. */
  readonly layersStreamed: number;
  /** That were on the device when a pass asked: kept there, or uploaded ahead. */
  readonly layerHits: number;
  /** Layers that moved to a faster place, because memory became free. */
  readonly promotions: number;
  readonly uploadedPinnedBytes: number;
  readonly uploadedDiskBytes: number;
  /** Of the model file, while streaming. */
  readonly readBytes: number;
  /** Reading and packing layers. */
  readonly readMs: number;
  /** The link was busy. */
  readonly uploadMs: number;
  /** Passes waited for a layer. */
  readonly stallMs: number;
  /** Passes computed layers. */
  readonly layerMs: number;
  /** The part of reading and uploading that no pass waited for, 0 to 1. */
  readonly overlap: number;
  /** Measured while busy; 0: not used yet. */
  readonly linkBytesPerSecond: number;
  readonly readBytesPerSecond: number;
}
