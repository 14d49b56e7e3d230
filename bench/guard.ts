import { mkdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEncoder } from './guard/make-encoder.ts';
import { makeGguf } from './guard/make-gguf.ts';
import type { EngineInput, EngineOrder, EngineTimes } from './guard/orders.ts';
import { DECODERS, QUANTS, type Quant } from './guard/shapes.ts';
import { Child } from './lib/child.ts';
import { readOptions } from './lib/options.ts';
import { type Row, report } from './lib/report.ts';
import { median, quantile, rounded } from './lib/statistics.ts';

/**
 * The guard engine beside llama.cpp on the same files of real shapes and random weights: all engines in turn, round
 * after round, with as many threads; medians. `--only 0.6B`, `1B-Q4_0` or
 * `encoder` leaves the rest out.
 */
const PREFIX_TOKENS = 600;
const NEW_TOKENS = 100;
const PARALLEL = 4;
const LENGTHS = [64, 128, 512] as const;

const options = readOptions({ rounds: 5, seconds: 1 });
const threads = Math.min(availableParallelism(), 16);
const folder = join(tmpdir(), 'sallyport-bench-guard');
mkdirSync(folder, { recursive: true });
const rows: Row[] = [];

interface Case {
  readonly name: string;
  readonly order: Omit<EngineOrder, 'seed'>;
  /** Which engines have it. */
  readonly of: readonly string[];
}

const both = ['sallyport', 'node-llama-cpp'];
const alone = { parallel: 1, behindPrefix: false, cold: false };
const DECODER_CASES: readonly Case[] = [
  ...LENGTHS.map((tokens) => ({ name: `prefill-${tokens}`, order: { ...alone, tokens }, of: both })),
  { name: 'prefix600+100x1', order: { ...alone, tokens: NEW_TOKENS, behindPrefix: true }, of: both },
  {
    name: 'prefix600+100x4',
    order: { ...alone, tokens: NEW_TOKENS, parallel: PARALLEL, behindPrefix: true },
    of: both,
  },
  {
    name: 'prefix600+100x4-cold',
    order: { tokens: NEW_TOKENS, parallel: PARALLEL, behindPrefix: true, cold: true },
    of: ['node-llama-cpp'],
  },
];
const ENCODER_CASES: readonly Case[] = LENGTHS.map((tokens) => ({
  name: `encoder-${tokens}`,
  order: { ...alone, tokens },
  of: ['sallyport'],
}));

function wanted(model: string): boolean {
  return options.only === null || options.only.includes(model);
}

for (const shape of DECODERS) {
  for (const quant of Object.keys(QUANTS) as Quant[]) {
    if (!wanted(shape.model) && !wanted(`${shape.model}-${quant}`)) continue;
    const model = join(folder, `${shape.model}-${quant}.gguf`);
    makeGguf(model, shape, quant);
    await measure({
      labels: { model: shape.model, quant },
      input: { model, threads, prefixTokens: PREFIX_TOKENS, parallel: PARALLEL },
      engines: { sallyport: 'guard/sallyport-engine.ts', 'node-llama-cpp': 'peers/llama-cpp.ts' },
      cases: DECODER_CASES,
    });
  }
}
if (wanted('encoder')) {
  const model = join(folder, 'deberta-xsmall');
  makeEncoder(model);
  await measure({
    labels: { model: 'deberta-v3-xsmall', quant: 'F32' },
    input: { model, threads, prefixTokens: 0, parallel: 1 },
    engines: { sallyport: 'guard/sallyport-engine.ts' },
    cases: ENCODER_CASES,
  });
  const skipped =
    'there is no ONNX file of this shape here: the exporter is PyTorch, which this benchmark does not install';
  for (const { name } of ENCODER_CASES) {
    rows.push({ name: 'onnxruntime', model: 'deberta-v3-xsmall', quant: 'F32', case: name, skipped });
  }
}
report('guard', rows, {
  json: options.json,
  notes: [
    '',
    `${threads} threads, ${options.rounds} rounds in turn, medians; random weights of real shapes; models in ${folder}.`,
  ],
});

async function measure(o: {
  readonly labels: { readonly model: string; readonly quant: string };
  readonly input: EngineInput;
  readonly engines: Readonly<Record<string, string>>;
  readonly cases: readonly Case[];
}): Promise<void> {
  const running = new Map<string, Child>();
  const faults = new Map<string, string>();
  for (const [name, script] of Object.entries(o.engines)) {
    try {
      if (name !== 'sallyport') createRequire(import.meta.url).resolve(name);
      running.set(name, await Child.start(script, o.input));
    } catch (fault) {
      faults.set(name, fault instanceof Error ? (fault.message.split('\n')[0] ?? '') : String(fault));
    }
  }
  const times = new Map<string, EngineTimes[]>();
  try {
    for (let round = 0; round < options.rounds; round++) {
      for (const one of o.cases) {
        // Another engine begins each round: none stands always behind the same neighbour.
        const names = round % 2 === 0 ? one.of : one.of.toReversed();
        for (const name of names) {
          const child = running.get(name);
          if (child === undefined || faults.has(name)) continue;
          const key = `${name} ${one.name}`;
          try {
            const taken = await child.ask<EngineTimes>({ ...one.order, seed: round * 31 + 1 });
            times.set(key, [...(times.get(key) ?? []), taken]);
          } catch (fault) {
            faults.set(name, fault instanceof Error ? (fault.message.split('\n')[0] ?? '') : String(fault));
          }
        }
      }
      if (!options.json)
        process.stderr.write(
          `${o.labels.model} ${o.labels.quant}: round ${round + 1} of ${options.rounds}\n`,
        );
    }
    for (const one of o.cases) {
      for (const name of one.of) {
        const labels = { name, ...o.labels, case: one.name };
        const fault = faults.get(name);
        rows.push(
          fault === undefined
            ? rowOf(labels, one, times.get(`${name} ${one.name}`) ?? [])
            : { ...labels, skipped: fault },
        );
      }
    }
    const file = statSync(o.input.model);
    const weights = file.isFile() ? file : statSync(join(o.input.model, 'model.safetensors'));
    const weightMiB = weights.size / 1024 ** 2;
    for (const [name, child] of running) {
      const loadMs = Number(child.ready.loadMs);
      rows.push({
        name,
        ...o.labels,
        case: 'load',
        p50Ms: rounded(loadMs, 0),
        note: `${weightMiB.toFixed(0)} MiB on disk`,
      });
    }
  } finally {
    for (const child of running.values()) await child.stop();
  }
}

function rowOf(labels: Record<string, string>, one: Case, times: readonly EngineTimes[]): Row {
  const each = times.flatMap((taken) => taken.each).toSorted((a, b) => a - b);
  const totals = median(times.map((taken) => taken.totalMs));
  return {
    ...labels,
    tokensPerSecond: Math.round((one.order.tokens * one.order.parallel * 1000) / totals),
    p50Ms: rounded(median(each), 1),
    p99Ms: rounded(quantile(each, 0.99), 1),
    rps: rounded((one.order.parallel * 1000) / totals, 2),
    peakMiB: Math.round(Math.max(...times.map((taken) => taken.peakMiB))),
  };
}
