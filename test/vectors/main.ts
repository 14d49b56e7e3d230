import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findVectors } from '../support/shared.ts';

/** What one vector file came to. `failures` names each case that failed, and why. */
export interface VectorResult {
  readonly passed: number;
  readonly total: number;
  readonly failures: readonly { readonly id: string; readonly why: string }[];
}

/** `skipped`: this machine lacks what the runner needs; a sentence says what. */
type Runner = { run(path: string): Promise<VectorResult | { readonly skipped: string }> };

const SHOWN_FAILURES = 20;
const runnersFolder = dirname(fileURLToPath(import.meta.url));

/** The runner of `ssrf.json` is `ssrf.ts`, of `tokenizers/gpt-2.json` is `tokenizers/gpt-2.ts` or `tokenizers.ts`. */
async function runnerOf(name: string): Promise<Runner | null> {
  const stem = name.replace(/\.json$/, '');
  for (const candidate of [stem, dirname(stem)]) {
    const file = join(runnersFolder, `${candidate}.ts`);
    if (candidate !== '.' && candidate !== 'main' && existsSync(file)) return (await import(file)) as Runner;
  }
  return null;
}

function jsonFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

async function main(): Promise<number> {
  const folder = process.argv[2] === undefined ? findVectors() : resolve(process.argv[2]);
  if (folder === null || !existsSync(folder)) {
    process.stderr.write(
      'No folder of vectors: name one (npm run vectors -- DIR) or set SALLYPORT_SHARED.\n',
    );
    return 2;
  }
  let failed = false;
  for (const name of jsonFiles(folder)) {
    const runner = await runnerOf(name);
    if (runner === null) {
      process.stdout.write(`${name} no runner\n`);
      continue;
    }
    const result = await runner.run(join(folder, name));
    if ('skipped' in result) {
      process.stdout.write(`${name} no runner: ${result.skipped}\n`);
      continue;
    }
    const { passed, total, failures } = result;
    process.stdout.write(`${name} ${passed}/${total}\n`);
    for (const { id, why } of failures.slice(0, SHOWN_FAILURES)) process.stdout.write(`  ${id}: ${why}\n`);
    if (failures.length > SHOWN_FAILURES)
      process.stdout.write(`  (${failures.length - SHOWN_FAILURES} more)\n`);
    failed ||= passed !== total || failures.length > 0 || total === 0;
  }
  return failed ? 1 : 0;
}

if (import.meta.main) process.exit(await main());
