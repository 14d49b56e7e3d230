import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ordersIn, weighed } from '../../src/detector/reading/index.ts';
import type { Addon } from '../../src/guard/engine/addon.ts';
import { GuardEngine } from '../../src/guard/engine/engine.ts';
import type { GuardSegment } from '../../src/guard/guard.ts';
import { DEFAULT_MODEL, findModel } from '../../src/guard/model-file.ts';
import { repositoryRoot } from '../support/shared.ts';
import { addonOrReason, golden } from './support.ts';

const found = addonOrReason();
const addon = 'addon' in found ? found.addon : (null as never as Addon);
if ('reason' in found) process.stderr.write(`skipped: test/native/shipped-model.test.ts: ${found.reason}\n`);

/** From this probability on the detector believes the model (src/detector/guard-finding.ts). */
const BELIEVED = 0.9;
/** Of the largest logit: what rounding activations to int8 may cost (docs/reference/guard-model.md). */
const SHARE = 0.05;

interface Case {
  /** Whether the last segment carries an order to the agent; calls have none to carry. */
  readonly bad?: boolean;
  readonly segments: readonly GuardSegment[];
  readonly logits: readonly number[];
}
const { cases }: { readonly cases: readonly Case[] } = JSON.parse(
  readFileSync(golden('canary-guard.json'), 'utf8'),
);

describe.skipIf('reason' in found)('the shipped guard model', () => {
  let engine: GuardEngine;
  beforeAll(async () => {
    const model = findModel({ model: null, sha256: null, home: repositoryRoot, programRoot: repositoryRoot });
    expect(model?.sha256).toMatch(/^[0-9a-f]{64}$/);
    engine = await GuardEngine.open({
      addon,
      model: join(repositoryRoot, DEFAULT_MODEL),
      ...(model?.sha256 ? { sha256: model.sha256 } : {}),
    });
  });
  afterAll(() => engine?.close());

  it('answers both labels of the detector', () => {
    expect(engine.info.labels).toEqual(['injection', 'malicious_call']);
  });

  it("gives PyTorch's logits", async () => {
    const most = Math.max(...cases.flatMap(({ logits }) => logits.map(Math.abs)));
    for (const { segments, logits } of cases) {
      const score = await engine.score({ segments: [...segments] });
      for (const [at, logit] of logits.entries()) {
        expect(Math.abs((score.logits[at] ?? Number.NaN) - logit)).toBeLessThan(SHARE * most);
      }
    }
  });

  for (const [at, { bad, segments }] of cases.entries()) {
    if (bad === undefined) continue;
    it(`takes text ${at} for ${bad ? 'an injection' : 'harmless'}, with what it orders`, async () => {
      const text = segments.at(-1)?.text ?? '';
      const before = segments.slice(0, -1);
      const { excerpts, naming, aside, foreign } = ordersIn(text, before[0]?.text ?? '');
      const probability = async (part: string) =>
        (await engine.score({ segments: [...before, { role: 'result', text: part }] })).probabilities[0] ?? 0;
      const near = await Promise.all(excerpts.map(probability));
      const judged = weighed({
        whole: await probability(text),
        near: near.length === 0 ? null : Math.max(...near),
        naming,
        aside,
        foreign,
      });
      if (bad) expect(judged).toBeGreaterThanOrEqual(BELIEVED);
      else expect(judged).toBeLessThan(BELIEVED);
    });
  }
});
