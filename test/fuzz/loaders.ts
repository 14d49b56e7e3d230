import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildGuardFuzz } from '../support/guard-test.ts';
import { repositoryRoot } from '../support/shared.ts';

/** The loaders of model files are fuzzed by a program of their own, under sanitizers. */
export const LOADERS = {
  name: 'loaders',
  promise: 'refuses a changed model file with a reason, or scores with it; no sanitizer has anything to say',
} as const;

/** What is changed: the tiny models of every architecture, and `native/test/fuzz/corpus`. */
const GOLDEN = [
  'llama-q4_0.gguf',
  'qwen2-q4_0.gguf',
  'qwen3-q4_0.gguf',
  'canary-q4_0.gguf',
  'canary-q6_k.gguf',
  'deberta-v3',
];

export type LoaderOutcome =
  | { readonly missing: string }
  | { readonly kept: boolean; readonly inputs: number; readonly output: string };

/** As many inputs, or as long, as the one that is not 0 says. */
export function fuzzLoaders(o: {
  readonly seed: number;
  readonly inputs: number;
  readonly seconds: number;
}): Promise<LoaderOutcome> {
  const built = buildGuardFuzz();
  if ('missing' in built) return Promise.resolve(built);
  const corpus = join(repositoryRoot, 'native/test/fuzz/corpus');
  const places = [
    ...GOLDEN.map((name) => join(repositoryRoot, 'native/test/golden', name)),
    ...readdirSync(corpus)
      .toSorted()
      .map((name) => join(corpus, name)),
  ];
  return new Promise((resolve) => {
    const args = [String(o.seed), String(o.inputs), String(o.seconds), ...places];
    execFile(built.program, args, { maxBuffer: 64 * 1024 * 1024 }, (fault, stdout, stderr) => {
      const inputs = Number(/: (\d+) inputs/.exec(stdout)?.[1] ?? 0);
      resolve({ kept: fault === null, inputs, output: `${stdout}${stderr}` });
    });
  });
}
