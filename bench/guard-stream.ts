import { mkdirSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadAddon } from '../src/guard/engine/addon.ts';
import { findAddon } from '../src/guard/engine/addon-file.ts';
import { GuardEngine, type OpenOptions } from '../src/guard/engine/engine.ts';
import { makeGguf } from './guard/make-gguf.ts';
import { type DecoderShape, someTokens } from './guard/shapes.ts';
import { readOptions } from './lib/options.ts';
import { type Row, report } from './lib/report.ts';
import { median, rounded } from './lib/statistics.ts';

/**
 * How a model streams whose layers do not fit the device: behind a simulated link, a batch that is too small uses the
 * link whole (`linkShare`), and streaming adds less and less to a batch that is larger (`slowdown`, to the same
 * engine with all layers resident; T* is the batch whose computations take as long as its uploads). `--only 16,256`
 * leaves the other batches out.
 */
const SHAPE: DecoderShape = {
  model: '90M',
  architecture: 'llama',
  layers: 12,
  width: 768,
  feedForward: 2048,
  heads: 12,
  kvHeads: 4,
  headWidth: 64,
  vocabulary: 4096,
  ropeBase: 10_000,
};
const BATCHES = [1, 16, 64, 256, 1024] as const;
const SLOTS = 2;

const options = readOptions({ rounds: 3, seconds: 1 });
const threads = options.threads ?? Math.min(availableParallelism(), 16);
const batches = BATCHES.filter((one) => options.only?.includes(String(one)) ?? true);
const folder = join(tmpdir(), 'sallyport-bench-guard');
mkdirSync(folder, { recursive: true });
const model = join(folder, `${SHAPE.model}-Q8_0.gguf`);
makeGguf(model, SHAPE, 'Q8_0');
const addon = loadAddon(findAddon().addon);
const rows: Row[] = [];

interface Measured {
  readonly passMs: number;
  readonly linkShare: number;
  readonly overlap: number;
  readonly stallShare: number;
}

/** Passes of `tokens` tokens each, in turn for both engines. */
async function measure(engine: GuardEngine, tokens: number, linkRate: number): Promise<Measured> {
  const before = engine.stats();
  const began = performance.now();
  let passes = 0;
  // The first layers of a pass are uploaded while the one before ends, so that several make a fair mean.
  while (passes < 3 || performance.now() - began < options.seconds * 1000) {
    await engine.score({ tokens: Int32Array.from(idsOf(tokens, passes)), labels: [1, 2] });
    passes += 1;
  }
  const tookMs = performance.now() - began;
  const after = engine.stats();
  const bytes =
    after.uploadedPinnedBytes +
    after.uploadedDiskBytes -
    before.uploadedPinnedBytes -
    before.uploadedDiskBytes;
  const busyMs = Math.max(after.uploadMs - before.uploadMs, after.readMs - before.readMs);
  const stallMs = after.stallMs - before.stallMs;
  return {
    passMs: tookMs / passes,
    linkShare: bytes / (tookMs / 1000) / linkRate,
    overlap: busyMs > 0 ? Math.max(0, 1 - stallMs / busyMs) : 1,
    stallShare: stallMs / tookMs,
  };
}

function idsOf(tokens: number, seed: number): number[] {
  return someTokens(tokens, seed + 1).map((id) => id % SHAPE.vocabulary);
}

async function open(more: Partial<OpenOptions>): Promise<GuardEngine> {
  return await GuardEngine.open({ addon, model, threads, maxBatchTokens: 1024, ...more });
}

const resident = await open({ backend: 'cpu', streaming: 'resident' });
const layerBytes = resident.stats().deviceBytes / SHAPE.layers;
const speed = await measure(resident, 256, 1);
/** Weights of a layer, one byte and a scale for 32. */
const weights = layerBytes / (576 / 512);
const operationsPerSecond = (2 * weights * SHAPE.layers * 256) / (speed.passMs / 1000);
/** So that the batch whose computations hide its uploads lies between those that are measured. */
const linkRate = Math.round((layerBytes * operationsPerSecond) / (2 * weights * 128));
for (const streaming of ['pinned', 'disk'] as const) {
  const streamed = await open({
    backend: 'simulated',
    streaming,
    maxDeviceBytes: Math.ceil(layerBytes * SLOTS),
    streamSlots: SLOTS,
    simulatedLinkBytesPerSecond: linkRate,
  });
  for (const tokens of batches) {
    const pairs: { readonly there: Measured; readonly here: Measured }[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const there = await measure(streamed, tokens, linkRate);
      pairs.push({ there, here: await measure(resident, tokens, linkRate) });
    }
    const of = (pick: (pair: (typeof pairs)[number]) => number) => median(pairs.map(pick));
    rows.push({
      name: 'sallyport',
      model: SHAPE.model,
      quant: 'Q8_0',
      case: 'stream',
      streaming,
      tokens,
      passMs: rounded(
        of(({ there }) => there.passMs),
        2,
      ),
      residentMs: rounded(
        of(({ here }) => here.passMs),
        2,
      ),
      slowdown: rounded(
        of(({ there, here }) => there.passMs / here.passMs),
        3,
      ),
      linkShare: rounded(
        of(({ there }) => there.linkShare),
        3,
      ),
      overlap: rounded(
        of(({ there }) => there.overlap),
        3,
      ),
      stallShare: rounded(
        of(({ there }) => there.stallShare),
        3,
      ),
    });
  }
  await streamed.close();
}
await resident.close();
const hiddenFrom = (layerBytes * operationsPerSecond) / (2 * weights * linkRate);
report('guard-stream', rows, {
  json: options.json,
  notes: [
    '',
    `${SHAPE.layers} layers of ${(layerBytes / 1e6).toFixed(1)} MB, ${SLOTS} of them on the device; link ${(linkRate / 1e6).toFixed(0)} MB/s, ${(operationsPerSecond / 1e9).toFixed(0)} G operations/s with ${threads} threads.`,
    `T* = ${hiddenFrom.toFixed(0)} tokens: a batch of so many takes as long to compute as its layers take to upload.`,
  ],
});
