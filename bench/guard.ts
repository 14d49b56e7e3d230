import { mkdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEncoder } from './guard/make-encoder.ts';
import { makeGguf } from './guard/make-gguf.ts';
import { makeOnnx } from './guard/make-onnx.ts';
import type { EngineInput, EngineOrder, EngineTimes } from './guard/orders.ts';
import { DECODERS, QUANTS, type Quant } from './guard/shapes.ts';
import { Child } from './lib/child.ts';
import { readOptions } from './lib/options.ts';
import { type Row, report } from './lib/report.ts';
import { median, quantile, rounded } from './lib/statistics.ts';

/**
 * The guard engine beside llama.cpp on the same files, and beside ONNX Runtime on the same weights: real shapes, random
 * weights; all engines in turn, round after round, with as many threads (`--threads`); medians. `--only 0.6B`,
 * `1B-Q4_0` or `encoder` leaves the rest out.
 */
const PREFIX_TOKENS = 600;
const NEW_TOKENS = 100;
const PARALLEL = 4;
const LENGTHS = [64, 128, 512] as const;

const options = readOptions({ rounds: 5, seconds: 1 });
const threads = options.threads ?? Math.min(availableParallelism(), 16);
const folder = join(tmpdir(), 'sallyport-bench-guard');
mkdirSync(folder, { recursive: true });
const rows: Row[] = [];

interface Case {
  readonly name: string;
  readonly order: Omit<EngineOrder, 'seed'>;
  /** Scorings one after another in each engine's turn, the first of which is not counted; without: one, and it is. */
  readonly turns?: number;
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
  turns: 8,
  of: ['sallyport', 'onnxruntime'],
}));

/** Where an engine's process comes from, and what it is started with. */
interface Engine {
  readonly script: string;
  /** What must be installed for it. */
  readonly needs?: string;
  readonly input: EngineInput;
}

function wanted(model: string): boolean {
  return options.only === null || options.only.includes(model);
}

for (const shape of DECODERS) {
  for (const quant of Object.keys(QUANTS) as Quant[]) {
    if (!wanted(shape.model) && !wanted(`${shape.model}-${quant}`)) continue;
    const model = join(folder, `${shape.model}-${quant}.gguf`);
    makeGguf(model, shape, quant);
    const input = { model, threads, prefixTokens: PREFIX_TOKENS, parallel: PARALLEL };
    await measure({
      labels: { model: shape.model, quant },
      engines: {
        sallyport: { script: 'guard/sallyport-engine.ts', input },
        'node-llama-cpp': { script: 'peers/llama-cpp.ts', needs: 'node-llama-cpp', input },
      },
      cases: DECODER_CASES,
    });
  }
}
if (wanted('encoder')) {
  const model = join(folder, 'deberta-v3-xsmall');
  makeEncoder(model);
  for (const quant of ['F32', 'int8'] as const) {
    const onnx = join(folder, `deberta-v3-xsmall-${quant}.onnx`);
    makeOnnx(onnx, model, quant === 'F32' ? 'fp32' : 'int8');
    const input = { threads, prefixTokens: 0, parallel: 1 };
    await measure({
      labels: { model: 'deberta-v3-xsmall', quant },
      engines: {
        sallyport: {
          script: 'guard/sallyport-engine.ts',
          input: { ...input, model, int8: quant === 'int8' },
        },
        onnxruntime: {
          script: 'peers/onnxruntime.ts',
          needs: 'onnxruntime-node',
          input: { ...input, model: onnx },
        },
      },
      cases: ENCODER_CASES,
    });
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
  readonly engines: Readonly<Record<string, Engine>>;
  readonly cases: readonly Case[];
}): Promise<void> {
  const running = new Map<string, Child>();
  const faults = new Map<string, string>();
  for (const [name, { script, needs, input }] of Object.entries(o.engines)) {
    try {
      if (needs !== undefined) createRequire(import.meta.url).resolve(needs);
      running.set(name, await Child.start(script, input));
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
            const inRow: EngineTimes[] = [];
            for (let turn = 0; turn < (one.turns ?? 1); turn++)
              inRow.push(await child.ask<EngineTimes>({ ...one.order, seed: round * 31 + turn + 1 }));
            // The first of several finds the neighbour's weights in the caches.
            times.set(key, [...(times.get(key) ?? []), ...(inRow.length > 1 ? inRow.slice(1) : inRow)]);
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
            ? {
                ...rowOf(labels, one, times.get(`${name} ${one.name}`) ?? []),
                ...agreement(name, one, times),
              }
            : { ...labels, skipped: fault },
        );
      }
    }
    for (const [name, child] of running) {
      rows.push({
        name,
        ...o.labels,
        case: 'load',
        p50Ms: rounded(Number(child.ready.loadMs), 0),
        note: `${(bytesOf(o.engines[name]?.input.model ?? '') / 1024 ** 2).toFixed(0)} MiB on disk`,
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
    processorMs: rounded(median(times.map((taken) => taken.processorMs)) / one.order.parallel, 1),
    peakMiB: Math.round(Math.max(...times.map((taken) => taken.peakMiB))),
  };
}

/** How far our logits are from the peer's on the same weights and tokens, where both tell them. */
function agreement(name: string, one: Case, times: ReadonlyMap<string, readonly EngineTimes[]>): Row {
  const [ours, theirs] = ['sallyport', 'onnxruntime'].map(
    (who) => times.get(`${who} ${one.name}`)?.[0]?.logits,
  );
  if (name !== 'sallyport' || ours === undefined || theirs === undefined) return {};
  const off = Math.max(...ours.map((logit, at) => Math.abs(logit - (theirs[at] ?? Number.NaN))));
  return {
    note: `logits up to ${Math.max(...ours.map(Math.abs)).toPrecision(2)}, ${off.toPrecision(2)} from the peer's`,
  };
}

function bytesOf(model: string): number {
  const file = statSync(model);
  return file.isFile() ? file.size : statSync(join(model, 'model.safetensors')).size;
}
