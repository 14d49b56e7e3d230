import { loadPeer } from '../peers/load-peer.ts';

type Input = number | readonly [number, { readonly generateNext: { readonly probabilities: boolean } }];

interface Sequence {
  controlledEvaluate(
    input: readonly Input[],
  ): Promise<
    readonly ({ readonly next?: { readonly probabilities?: ReadonlyMap<number, number> } } | undefined)[]
  >;
  clearHistory(): Promise<void>;
}

interface LlamaModule {
  getLlama(o: object): Promise<{
    loadModel(o: object): Promise<{
      createContext(o: object): Promise<{ getSequence(): Sequence; dispose(): Promise<void> }>;
      dispose(): Promise<void>;
    }>;
  }>;
}

interface LlamaModel {
  /** Logarithms of the probabilities of these tokens behind `ids`. */
  logProbabilities(ids: readonly number[], labels: readonly number[]): Promise<number[]>;
  close(): Promise<void>;
}

export interface Llama {
  open(model: string): Promise<LlamaModel>;
}

/** llama.cpp through node-llama-cpp, asked what it thinks of single tokens. */
export async function loadLlama(): Promise<Llama> {
  const { getLlama } = await loadPeer<LlamaModule>('node-llama-cpp');
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: 1 });
  return {
    async open(modelPath) {
      const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
      const context = await model.createContext({ contextSize: 256, threads: 1 });
      const sequence = context.getSequence();
      return {
        async logProbabilities(ids, labels) {
          await sequence.clearHistory();
          const last = ids.at(-1) ?? 0;
          const told = await sequence.controlledEvaluate([
            ...ids.slice(0, -1),
            [last, { generateNext: { probabilities: true } }],
          ]);
          const probabilities = told.at(-1)?.next?.probabilities;
          return labels.map((id) => Math.log(probabilities?.get(id) ?? Number.NaN));
        },
        async close() {
          await context.dispose();
          await model.dispose();
        },
      };
    },
  };
}
