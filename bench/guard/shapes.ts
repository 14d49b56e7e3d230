/** The decoders that are measured: real shapes, random weights. */
export interface DecoderShape {
  readonly model: string;
  readonly architecture: 'qwen3' | 'llama';
  readonly layers: number;
  readonly width: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headWidth: number;
  readonly vocabulary: number;
  readonly ropeBase: number;
}

export const DECODERS: readonly DecoderShape[] = [
  {
    model: '0.6B',
    architecture: 'qwen3',
    layers: 28,
    width: 1024,
    feedForward: 3072,
    heads: 16,
    kvHeads: 8,
    headWidth: 128,
    vocabulary: 151_936,
    ropeBase: 1_000_000,
  },
  {
    model: '1B',
    architecture: 'llama',
    layers: 16,
    width: 2048,
    feedForward: 8192,
    heads: 32,
    kvHeads: 8,
    headWidth: 64,
    vocabulary: 128_256,
    ropeBase: 500_000,
  },
];

/** Bytes of a block of 32 weights, GGUF's number of the type, and a scale (binary16) that gives weights near 0.02. */
export const QUANTS = {
  Q8_0: { type: 8, blockBytes: 34, scale: 0x0c80 },
  Q4_0: { type: 2, blockBytes: 18, scale: 0x1c66 },
} as const;

export type Quant = keyof typeof QUANTS;

/** Ids of ordinary words, the same for all engines. */
export function someTokens(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, at) => 1000 + ((at * 7919 + seed * 104_729) % 50_000));
}
