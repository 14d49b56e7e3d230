import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Figures,
  labelSchema,
  Measure,
  readAll,
  readLines,
  scoreSchema,
} from '../src/detector/index.ts';
import { MADE } from './detector/made-sessions.ts';

/**
 * What each part of the detector is worth: recorded sessions are replayed with one part after the other left out. The
 * data (`NAME.traces.jsonl.gz` with `NAME.labels.jsonl.gz` beside them) is not part of the repository. Recorded sessions
 * have no decoys and no past: what looks for these is asked about sessions that are made up here.
 */
const { values } = parseArgs({
  options: { data: { type: 'string' }, 'with-model': { type: 'boolean', default: false } },
});
const { data, 'with-model': withModel } = values;
if (data === undefined) throw new TypeError('--data DIR: where NAME.traces.jsonl.gz and their labels are');

const PARTS = ['', 'rule', 'flow', 'provenance', 'provenance,flow', 'decoy', 'habit'];
const repository = join(import.meta.dirname, '..');

async function main(folder: string): Promise<void> {
  const names = (await readdir(folder))
    .filter((file) => file.endsWith('.traces.jsonl.gz'))
    .map((file) => file.slice(0, -'.traces.jsonl.gz'.length))
    .sort();
  const work = await mkdtemp(join(tmpdir(), 'sallyport-ablation-'));
  try {
    const heads = [...names, ...MADE.map(({ name }) => `${name} (made up)`)];
    console.log(`| left out | ${heads.join(' | ')} |\n|---|${heads.map(() => '---').join('|')}|`);
    // The model is dear: its rows are asked for by name.
    const rows = withModel ? ['', ...PARTS.map(withoutModel)] : PARTS.map(withoutModel);
    for (const without of rows) {
      const scores = join(work, 'scores.jsonl');
      await replay(
        names.map((name) => join(folder, `${name}.traces.jsonl.gz`)),
        without,
        scores,
      );
      const cells = await Promise.all(names.map((name) => cellOf(folder, name, scores)));
      for (const made of MADE) {
        const { cases, told } = await made.measure(without.split(',').filter((part) => part !== ''));
        cells.push(`${told} of ${cases} told`);
      }
      console.log(`| ${without === '' ? 'nothing' : `\`${without}\``} | ${cells.join(' | ')} |`);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function withoutModel(parts: string): string {
  return parts === '' ? 'guard' : `guard,${parts}`;
}

/** Through the program itself, as anybody would do it. */
async function replay(files: readonly string[], without: string, out: string): Promise<void> {
  const parts = without === '' ? [] : ['--without', without];
  const argv = ['detector', 'replay', ...files, '--profile', 'balanced', ...parts, '--out', out];
  const child = spawn(process.execPath, [join(repository, 'src/cli/main.ts'), ...argv], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`sallyport ${argv.join(' ')} ended with ${code}`);
}

async function cellOf(folder: string, name: string, scores: string): Promise<string> {
  const measure = new Measure(name, await readAll(join(folder, `${name}.labels.jsonl.gz`), labelSchema));
  for await (const line of readLines(scores, scoreSchema)) measure.add(line);
  return shown(measure.figures());
}

function shown({ attacks, stopped, benign, disturbed, suspected }: Figures): string {
  const parts = [];
  if (attacks > 0) parts.push(`${((100 * stopped) / attacks).toFixed(1)} % of ${attacks} stopped`);
  if (benign > 0) parts.push(`${((100 * disturbed) / benign).toFixed(1)} % of ${benign} disturbed`);
  if (suspected > 0) parts.push(`${((100 * suspected) / benign).toFixed(1)} % suspected`);
  return parts.join(', ');
}

await main(data);
