import { startMeasure } from '../guard/measure.ts';
import type { EngineInput, EngineOrder, EngineTimes } from '../guard/orders.ts';
import { someTokens } from '../guard/shapes.ts';
import { answerMessages, childInput, tellReady } from '../lib/child.ts';
import { loadPeer } from './load-peer.ts';

type Input = number | readonly [number, { readonly generateNext: { readonly probabilities: boolean } }];

interface Sequence {
  readonly nextTokenIndex: number;
  controlledEvaluate(input: readonly Input[]): Promise<unknown>;
  eraseContextTokenRanges(ranges: readonly { readonly start: number; readonly end: number }[]): Promise<void>;
  clearHistory(): Promise<void>;
}

interface LlamaModule {
  getLlama(o: object): Promise<{
    loadModel(o: object): Promise<{
      createContext(o: object): Promise<{ getSequence(): Sequence }>;
    }>;
  }>;
}

/** llama.cpp through node-llama-cpp, with a sequence for each request that runs at a time. */
const input = childInput<EngineInput>();
const { getLlama } = await loadPeer<LlamaModule>('node-llama-cpp');
const began = performance.now();
const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: input.threads });
const model = await llama.loadModel({ modelPath: input.model, gpuLayers: 0 });
const context = await model.createContext({
  contextSize: 1024,
  batchSize: 512,
  sequences: input.parallel,
  threads: { ideal: input.threads, min: input.threads },
});
const loadMs = performance.now() - began;
const sequences = Array.from({ length: input.parallel }, () => context.getSequence());
const prefix = Array.from({ length: input.prefixTokens }, () => 87);

answerMessages(async (order: EngineOrder): Promise<EngineTimes> => {
  const kept = order.behindPrefix ? input.prefixTokens : 0;
  const running = sequences.slice(0, order.parallel);
  for (const sequence of running) {
    if (order.cold || sequence.nextTokenIndex < kept) await sequence.clearHistory();
    else await sequence.eraseContextTokenRanges([{ start: kept, end: sequence.nextTokenIndex }]);
    // Warming is not timed: every slot has seen the prefix, which is the peer's best case.
    if (!order.cold && sequence.nextTokenIndex < kept) await sequence.controlledEvaluate(prefix);
  }
  const measured = startMeasure();
  const each = await Promise.all(
    running.map(async (sequence, at) => {
      const tokens = someTokens(order.tokens, order.seed + at);
      const last = tokens.pop() ?? 0;
      const head = order.cold ? prefix.slice(0, kept) : [];
      await sequence.controlledEvaluate([
        ...head,
        ...tokens,
        [last, { generateNext: { probabilities: true } }],
      ]);
      return measured.elapsedMs();
    }),
  );
  return measured.times(each);
});
tellReady({ loadMs });
