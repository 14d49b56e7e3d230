import { SHAPE } from '../guard/make-encoder.ts';
import { placeOf } from '../guard/make-onnx.ts';
import { startMeasure } from '../guard/measure.ts';
import type { EngineInput, EngineOrder, EngineTimes } from '../guard/orders.ts';
import { someTokens } from '../guard/shapes.ts';
import { answerMessages, childInput, tellReady } from '../lib/child.ts';
import { loadPeer } from './load-peer.ts';

interface Session {
  run(feeds: object): Promise<{ readonly logits: { readonly data: Float32Array } }>;
}

interface OnnxRuntime {
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => object;
  readonly InferenceSession: { create(file: string, options: object): Promise<Session> };
}

/** ONNX Runtime on the processor, with one graph that takes texts of every length. */
const input = childInput<EngineInput>();
const { Tensor, InferenceSession } = await loadPeer<OnnxRuntime>('onnxruntime-node');
const began = performance.now();
const session = await InferenceSession.create(input.model, {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  intraOpNumThreads: input.threads,
  interOpNumThreads: 1,
});
const loadMs = performance.now() - began;
const tables = new Map<number, { places: object; places_turned: object }>();

answerMessages(async (order: EngineOrder): Promise<EngineTimes> => {
  const { tokens: n } = order;
  // Positions depend on the length alone, and are not timed.
  const table = tables.get(n) ?? tableOf(n);
  tables.set(n, table);
  const ids = BigInt64Array.from(someTokens(n, order.seed), (one) => BigInt(one % SHAPE.vocabulary));
  const measured = startMeasure();
  const { logits } = await session.run({ input_ids: new Tensor('int64', ids, [1, n]), ...table });
  return { ...measured.times([measured.elapsedMs()]), logits: [...logits.data] };
});
tellReady({ loadMs });

function tableOf(n: number): { places: object; places_turned: object } {
  const make = (distance: (row: number, column: number) => number) => {
    const data = new BigInt64Array(SHAPE.heads * n * n);
    for (let row = 0; row < n; row++)
      for (let column = 0; column < n; column++)
        data[row * n + column] = BigInt(placeOf(distance(row, column)));
    for (let head = 1; head < SHAPE.heads; head++) data.copyWithin(head * n * n, 0, n * n);
    return new Tensor('int64', data, [SHAPE.heads, n, n]);
  };
  return { places: make((i, j) => i - j), places_turned: make((j, i) => i - j) };
}
