import { loadAddon } from '../../src/guard/engine/addon.ts';
import { findAddon } from '../../src/guard/engine/addon-file.ts';
import { GuardEngine, type Prefix } from '../../src/guard/engine/engine.ts';
import { answerMessages, childInput, tellReady } from '../lib/child.ts';
import { startMeasure } from './measure.ts';
import type { EngineInput, EngineOrder, EngineTimes } from './orders.ts';
import { someTokens } from './shapes.ts';

/** Our engine in a process of its own, asked what the benchmark asks its peers. */
const input = childInput<EngineInput>();
const began = performance.now();
const engine = await GuardEngine.open({
  addon: loadAddon(findAddon().addon),
  model: input.model,
  threads: input.threads,
  int8: input.int8 ?? false,
});
const loadMs = performance.now() - began;
const labels = engine.info.isEncoder ? [] : [1000, 1001];
let prefix: Prefix | null = null;

answerMessages(async (order: EngineOrder): Promise<EngineTimes> => {
  // Computing it is not timed: a gate does so once, when it starts.
  if (order.behindPrefix) prefix ??= await engine.prefix(prefixText(input.prefixTokens));
  let logits: readonly number[] | undefined;
  const measured = startMeasure();
  const each = await Promise.all(
    Array.from({ length: order.parallel }, async (_, at) => {
      const tokens = Int32Array.from(
        someTokens(order.tokens, order.seed + at).map((one) => one % engine.info.vocabulary),
      );
      const score = await engine.score({
        tokens,
        labels,
        ...(order.behindPrefix && prefix !== null ? { prefix } : {}),
      });
      if (engine.info.isEncoder) logits = score.logits;
      return measured.elapsedMs();
    }),
  );
  return { ...measured.times(each), ...(logits === undefined ? {} : { logits }) };
});
tellReady({ loadMs });

/** As many tokens as asked for: each of these bytes is a token of its own in the benchmark's vocabulary. */
function prefixText(tokens: number): string {
  return 'x'.repeat(tokens);
}
