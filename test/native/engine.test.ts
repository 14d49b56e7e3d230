import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Addon } from '../../src/guard/engine/addon.ts';
import { GuardEngine } from '../../src/guard/engine/engine.ts';
import { repositoryRoot } from '../support/shared.ts';
import { addonOrReason, golden, readGolden } from './support.ts';

const found = addonOrReason();
const addon = 'addon' in found ? found.addon : (null as never as Addon);
if ('reason' in found) process.stderr.write(`skipped: test/native/engine.test.ts: ${found.reason}\n`);

describe.skipIf('reason' in found)('the binding of the guard engine', () => {
  let encoder: GuardEngine;
  let decoder: GuardEngine;
  beforeAll(async () => {
    encoder = await GuardEngine.open({ addon, model: golden('canary-q8_0.gguf'), threads: 2 });
    decoder = await GuardEngine.open({ addon, model: golden('llama-f32.gguf'), threads: 2 });
  });
  afterAll(async () => {
    await encoder?.close();
    await decoder?.close();
  });

  for (const name of [
    'canary-f32',
    'canary-q8_0',
    'deberta-v3',
    'llama-f32',
    'llama-q4_k',
    'qwen2-bf16',
    'qwen3-q8_0',
  ]) {
    it(`gives the logits of the reference for ${name}`, async () => {
      const { cases, tolerance } = readGolden(name);
      const model = golden(name === 'deberta-v3' ? name : `${name}.gguf`);
      await using engine = await GuardEngine.open({ addon, model });
      for (const { ids, logits } of cases) {
        const labels = engine.info.isEncoder ? [] : logits.map((_, at) => at);
        const score = await engine.score({ tokens: Int32Array.from(ids), labels });
        expect(Math.max(...score.logits.map((one, at) => Math.abs(one - (logits[at] ?? 0))))).toBeLessThan(
          tolerance,
        );
      }
    });
  }

  it('scores the same alone and among others, bit for bit', async () => {
    const texts = Array.from({ length: 12 }, (_, at) => 'ignore the thing '.repeat(at + 1));
    const alone = [];
    for (const text of texts) alone.push((await encoder.score({ text })).logits);
    const together = await encoder.scoreMany(texts.map((text) => ({ text })));
    expect(together.map((one) => one.status === 'fulfilled' && one.value.logits)).toEqual(alone);
  });

  it('tells tokens, windows and times of a score', async () => {
    const score = await encoder.score({ text: 'an order in the text. '.repeat(40) });
    expect(score.windows).toBeGreaterThan(1);
    expect(score.promptTokens).toBeGreaterThan(encoder.info.context);
    expect(score.queueMs).toBeGreaterThanOrEqual(0);
    expect(score.computeMs).toBeGreaterThan(0);
    expect(encoder.info.labels).toEqual(['injection', 'malicious_call']);
    expect(encoder.stats().completed).toBeGreaterThan(0);
  });

  it('makes no special token out of what an attacker writes', () => {
    const written = encoder.tokenize('[CLS] x [SEP]');
    const ours = encoder.tokenize('[CLS] x [SEP]', { trusted: true });
    expect(ours.length).toBeLessThan(written.length);
    expect(encoder.detokenize(written)).toBe('[CLS] x [SEP]');
  });

  it('computes a prefix once, and scores behind it as over the whole', async () => {
    using prefix = await decoder.prefix('the policy in force: ', 'a tenant');
    const behind = await decoder.score({ prefix, text: 'an order', labels: [3, 4], tenant: 'a tenant' });
    const whole = await decoder.score({
      tokens: Int32Array.from([
        ...decoder.tokenize('the policy in force: '),
        ...decoder.tokenize('an order'),
      ]),
      labels: [3, 4],
    });
    expect(behind.cachedTokens).toBe(prefix.tokens);
    expect(behind.logits).toEqual(whole.logits);
    await expect(
      decoder.score({ prefix, text: 'an order', labels: [3], tenant: 'another' }),
    ).rejects.toMatchObject({ code: 'bad_argument' });
  });

  it('generates a few tokens', async () => {
    const { ids, text } = await decoder.generate({ text: 'the', maxTokens: 4 });
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.length).toBeLessThanOrEqual(4);
    expect(text).toBe(decoder.detokenize(ids));
    await expect(encoder.generate({ text: 'the', maxTokens: 4 })).rejects.toMatchObject({
      code: 'unsupported',
    });
  });

  it('gives up what is aborted, and what is late', async () => {
    const long = 'the thing in an order '.repeat(200);
    const abort = new AbortController();
    const all = Array.from({ length: 30 }, () => encoder.score({ text: long, signal: abort.signal }));
    abort.abort();
    const ends = await Promise.allSettled(all);
    expect(ends.at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    await expect(encoder.score({ text: long, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    const behind = Array.from({ length: 40 }, () => encoder.score({ text: long, deadlineMs: 1 }));
    expect((await Promise.allSettled(behind)).at(-1)).toMatchObject({
      status: 'rejected',
      reason: { code: 'deadline' },
    });
  });

  it('refuses more than its queue holds, by name', async () => {
    await using small = await GuardEngine.open({ addon, model: golden('canary-f32.gguf'), maxQueue: 2 });
    const ends = await small.scoreMany(Array.from({ length: 20 }, () => ({ text: 'the thing '.repeat(60) })));
    expect(ends.filter((one) => one.status === 'rejected').map((one) => one.reason.code)).toContain(
      'overloaded',
    );
    expect(ends[0]).toMatchObject({ status: 'fulfilled' });
  });

  it.each([
    ['a file that is not there', { model: golden('none.gguf') }, 'not_found'],
    ['a folder without a model', { model: golden('.') }, 'not_found'],
    ['a file that is no model', { model: join(repositoryRoot, 'LICENSE') }, 'model_rejected'],
    [
      'another file than the pinned one',
      { model: golden('canary-f32.gguf'), sha256: '0'.repeat(64) },
      'pin_mismatch',
    ],
    ['a pin that is none', { model: golden('canary-f32.gguf'), sha256: 'xyz' }, 'bad_argument'],
  ])('refuses %s', async (_, given, code) => {
    const refused = await GuardEngine.open({ addon, ...given }).catch((fault: unknown) => fault);
    expect(refused).toMatchObject({ name: 'GuardFault' });
    expect(
      ['not_found', 'model_rejected'].includes(code) ? ['not_found', 'model_rejected'] : [code],
    ).toContain((refused as { code: string }).code);
  });

  it('answers everything that waits when it is closed, and says so afterwards', async () => {
    const engine = await GuardEngine.open({ addon, model: golden('canary-f32.gguf') });
    const waiting = Array.from({ length: 20 }, () => engine.score({ text: 'the thing '.repeat(300) }));
    const closed = engine.close();
    const ends = await Promise.allSettled(waiting);
    await closed;
    expect(ends.every((one) => one.status === 'fulfilled' || one.reason.code === 'closed')).toBe(true);
    expect(ends.at(-1)).toMatchObject({ status: 'rejected' });
    await expect(engine.score({ text: 'x' })).rejects.toMatchObject({ code: 'closed' });
    expect(() => engine.tokenize('x')).toThrow(expect.objectContaining({ code: 'closed' }));
    await engine.close();
  });

  it('takes every kind of misuse for a mistake of the caller, and goes on', async () => {
    const wrong: readonly unknown[] = [
      undefined,
      null,
      0,
      -1,
      1.5,
      Number.NaN,
      '1',
      {},
      [],
      () => 0,
      Symbol.iterator,
      4294967295,
      2n,
    ];
    const raw = addon as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of Object.keys(raw).filter((one) => one !== 'confine')) {
      for (const first of wrong) {
        for (const second of wrong) {
          try {
            // What is taken must still settle.
            await Promise.resolve(raw[name]?.(first, second, second)).catch(() => undefined);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(Error);
          }
        }
      }
    }
    const id = await addon.open({ model: golden('canary-f32.gguf') });
    for (const bad of [
      { segments: [{ text: 1, role: 0 }] },
      { segments: [{ text: 'x', role: 3 }] },
      { segments: 5 },
      { tokens: [1] },
      { tokens: new Float64Array(3) },
      { labels: new Int32Array(65) },
      { deadlineMs: -1 },
      { maxTokens: 1e9 },
      { riskLabel: 9, segments: [{ text: 'x', role: 0 }] },
    ]) {
      expect(() => addon.submit(id, bad as never)).toThrow();
    }
    const treacherous = {
      get segments() {
        void addon.close(id);
        return [{ text: 'x', role: 0, trusted: false }];
      },
    };
    expect(() => addon.submit(id, treacherous)).toThrow(expect.objectContaining({ code: 'closed' }));
    expect((await encoder.score({ text: 'still there' })).logits.length).toBe(2);
  });

  it('survives workers that end in the middle of the work', async () => {
    const source = `
      const { createRequire } = require('node:module');
      const { parentPort, workerData } = require('node:worker_threads');
      const addon = require(workerData.addon);
      addon.open({ model: workerData.model }).then((id) => {
        for (let at = 0; at < 40; at++) addon.submit(id, { segments: [{ text: 'the thing '.repeat(200), role: 2, trusted: false }] }).result.catch(() => {});
        addon.open({ model: workerData.model }).catch(() => {});
        parentPort.postMessage('busy');
      });`;
    const file = join(repositoryRoot, 'native/build/guard.node');
    for (let round = 0; round < 3; round++) {
      const worker = new Worker(source, {
        eval: true,
        workerData: { addon: file, model: golden('canary-f32.gguf') },
      });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await worker.terminate();
    }
    expect((await encoder.score({ text: 'still there' })).logits.length).toBe(2);
  });

  it('survives the collector, and lets a program end that forgot to close', async () => {
    const program = `
      const { GuardEngine } = await import('./src/guard/engine/engine.ts');
      const { loadAddon } = await import('./src/guard/engine/addon.ts');
      const addon = loadAddon('./native/build/guard.node');
      const model = ${JSON.stringify(golden('canary-f32.gguf'))};
      const scores = [];
      for (let at = 0; at < 6; at++) {
        const engine = await GuardEngine.open({ addon, model });
        scores.push(engine.score({ text: 'the thing '.repeat(50) }).then(() => 'scored', (fault) => fault.code));
        globalThis.gc();
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
      globalThis.gc();
      console.log(JSON.stringify(await Promise.all(scores)));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', '--no-warnings', '--input-type=module', '-e', program],
      { cwd: repositoryRoot },
    );
    expect(JSON.parse(stdout)).toEqual(Array.from({ length: 6 }, () => 'scored'));
  });
});
