import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { loadAddon } from '../../src/guard/engine/addon.ts';
import { findAddon } from '../../src/guard/engine/addon-file.ts';
import { GuardEngine } from '../../src/guard/engine/engine.ts';
import { GuardFault } from '../../src/guard/engine/fault.ts';
import type { VectorResult } from './main.ts';

const fileSchema = z.object({
  doc: z.object({ model: z.string(), sha256: z.string() }),
  cases: z.array(
    z.object({
      id: z.string(),
      prompt: z.string(),
      promptIds: z.array(z.number()),
      logits: z.array(z.number()),
      greedyIds: z.array(z.number()),
      smallestMargin: z.number(),
    }),
  ),
});
type Case = z.infer<typeof fileSchema>['cases'][number];

/** The reference is float64 of the same float32 weights. */
const TOLERANCE = 1e-3;
/** Where the best two logits are closer than this on the way, rounding may choose the other one. */
const SURE_MARGIN = 0.002;
const LABELS_AT_ONCE = 64;

export async function run(path: string): Promise<VectorResult | { readonly skipped: string }> {
  const { doc, cases } = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const [name = ''] = /^\S+\.gguf/.exec(doc.model) ?? [];
  let engine: GuardEngine;
  try {
    const addon = loadAddon(findAddon().addon);
    engine = await GuardEngine.open({ addon, model: join(dirname(path), name), sha256: doc.sha256 });
  } catch (fault) {
    if (fault instanceof GuardFault && fault.code === 'addon_unusable') return { skipped: fault.message };
    throw fault;
  }
  const failures: { id: string; why: string }[] = [];
  for (const one of cases) {
    const why = await faultOf(engine, one);
    if (why !== null) failures.push({ id: one.id, why });
  }
  await engine.close();
  return { passed: cases.length - failures.length, total: cases.length, failures };
}

async function faultOf(engine: GuardEngine, one: Case): Promise<string | null> {
  for (let first = 0; first < one.logits.length; first += LABELS_AT_ONCE) {
    const labels = one.logits.slice(first, first + LABELS_AT_ONCE).map((_, at) => first + at);
    const { logits } = await engine.score({ text: one.prompt, labels });
    for (const [at, logit] of logits.entries()) {
      const off = Math.abs(logit - (one.logits[first + at] ?? Number.NaN));
      if (!(off <= TOLERANCE)) return `logit ${first + at} is ${logit}`;
    }
  }
  const { ids, promptTokens } = await engine.generate({ text: one.prompt, maxTokens: one.greedyIds.length });
  if (promptTokens !== one.promptIds.length) return `the prompt has ${promptTokens} tokens`;
  if (one.smallestMargin <= SURE_MARGIN) return null;
  const same = ids.length === one.greedyIds.length && ids.every((id, at) => id === one.greedyIds[at]);
  return same ? null : `goes on with ${[...ids].slice(0, 12).join(' ')}`;
}
