import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { loadAddon } from '../../src/guard/engine/addon.ts';
import { findAddon } from '../../src/guard/engine/addon-file.ts';
import { GuardEngine } from '../../src/guard/engine/engine.ts';
import { GuardFault } from '../../src/guard/engine/fault.ts';
import { repositoryRoot } from '../support/shared.ts';
import type { VectorResult } from './main.ts';

const fileSchema = z.object({
  vocab: z.string(),
  vocabSha256: z.string(),
  cases: z.array(z.object({ id: z.string(), text: z.string(), ids: z.array(z.number()) })),
});

/** Vocabularies that may not be passed on come with a package of the benchmarks. */
const MOST_BYTES = 64 * 1024 * 1024;
const PACKAGE = join(repositoryRoot, 'bench/node_modules/node-llama-cpp');

export async function run(path: string): Promise<VectorResult | { readonly skipped: string }> {
  const { vocab, vocabSha256, cases } = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const scratch = mkdtempSync(join(tmpdir(), 'sallyport-vocabulary-'));
  try {
    const model = findVocabulary(dirname(path), `ggml-vocab-${vocab}.gguf`, vocabSha256, scratch);
    if (model === null) return { skipped: `no file with the vocabulary (SHA-256 ${vocabSha256})` };
    const addon = loadAddon(findAddon().addon);
    await using engine = await GuardEngine.open({ addon, model, tokenizerOnly: true });
    const failures = cases.flatMap(({ id, text, ids }) => {
      const got = [...engine.tokenize(text)];
      const same = got.length === ids.length && got.every((token, at) => token === ids[at]);
      return same ? [] : [{ id, why: `gives ${got.slice(0, 24).join(' ')}` }];
    });
    return { passed: cases.length - failures.length, total: cases.length, failures };
  } catch (fault) {
    if (fault instanceof GuardFault && fault.code === 'addon_unusable') return { skipped: fault.message };
    throw fault;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The file beside the vectors, or in the source release that the package carries as a bundle of Git. */
function findVocabulary(folder: string, name: string, sha256: string, scratch: string): string | null {
  const beside = join(folder, name);
  if (existsSync(beside) && digestOf(beside) === sha256) return beside;
  const bundle = join(PACKAGE, 'llama/gitRelease.bundle');
  if (!existsSync(bundle)) return null;
  const [file, clone] = [join(scratch, name), join(scratch, 'release')];
  execFileSync('git', ['clone', '--quiet', '--bare', bundle, clone], { stdio: 'ignore' });
  const show = ['-C', clone, 'show', `HEAD:models/${name}`];
  writeFileSync(
    file,
    execFileSync('git', show, { maxBuffer: MOST_BYTES, stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  return digestOf(file) === sha256 ? file : null;
}

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
