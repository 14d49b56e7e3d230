import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAddon } from '../src/guard/engine/addon.ts';
import { findAddon } from '../src/guard/engine/addon-file.ts';
import { GuardEngine } from '../src/guard/engine/engine.ts';
import { type Llama, loadLlama } from './guard/llama-logits.ts';

/**
 * The decoders' golden files in llama.cpp: a second implementation, beside PyTorch's logits that the files carry and
 * beside ours. Exit status 1 where ours is further from PyTorch than the file allows.
 */
interface Golden {
  readonly kind: 'decoder' | 'encoder';
  readonly tolerance: number;
  readonly cases: readonly { readonly ids: readonly number[]; readonly logits: readonly number[] }[];
}

const folder = join(import.meta.dirname, '../native/test/golden');
const { addon } = findAddon();
const llama = await loadLlama();
let failed = false;
print(['file', 'ours to PyTorch', 'llama.cpp to PyTorch', 'ours to llama.cpp', 'allowed']);
for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const golden = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Golden;
  if (golden.kind !== 'decoder') continue;
  const name = file.replace('.json', '');
  const [ours, theirs] = await compare(join(folder, `${name}.gguf`), golden, llama);
  const oracle = golden.cases.flatMap(({ logits }) => centred(logits));
  const off = furthest(ours, oracle);
  if (off > golden.tolerance) failed = true;
  print([
    name,
    ...[off, furthest(theirs, oracle), furthest(ours, theirs), golden.tolerance].map((one) =>
      one.toPrecision(2),
    ),
  ]);
}
process.exit(failed ? 1 : 0);

async function compare(model: string, golden: Golden, peer: Llama): Promise<[number[], number[]]> {
  const engine = await GuardEngine.open({ addon: loadAddon(addon), model, threads: 1 });
  const other = await peer.open(model);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (const { ids, logits } of golden.cases) {
    const labels = logits.map((_, id) => id);
    const score = await engine.score({ tokens: Int32Array.from(ids), labels });
    ours.push(...centred(score.logits));
    theirs.push(...centred(await other.logProbabilities(ids, labels)));
  }
  await other.close();
  await engine.close();
  return [ours, theirs];
}

/** Less their mean: llama.cpp tells probabilities, whose logarithms are logits but for a constant. */
function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  return values.map((one) => one - mean);
}

function furthest(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((one, at) => Math.abs(one - (b[at] ?? Number.NaN))));
}

function print(columns: readonly string[]): void {
  console.log(columns.map((one, at) => (at === 0 ? one.padEnd(22) : one.padStart(22))).join(''));
}
