import { basename } from 'node:path';
import { engineOptionsOf } from '../compute.ts';
import { type Addon, loadAddon } from '../engine/addon.ts';
import { GuardEngine } from '../engine/engine.ts';
import { GuardFault } from '../engine/fault.ts';
import { choosePreset } from '../presets/index.ts';
import { makeScorer, type Scorer } from '../scorer.ts';
import type { Answers } from './answers.ts';
import { engineAnswers } from './engine-answers.ts';
import type { GuardAnswer, GuardRequest, Ready } from './messages.ts';

/** CUDA opens files and makes system calls while it computes: the administrator has chosen it by name. */
const DEVICE_NEEDS_MORE =
  'a CUDA device computes, whose driver needs files and system calls that the filter forbids';

/** Opens the model and gives up, if this process shall serve strangers' texts, what it no longer needs. */
export async function openServed(
  order: Extract<GuardRequest, { type: 'open' }>,
): Promise<{ readonly answers: Answers; readonly ready: Ready }> {
  const addon: Addon = loadAddon(order.addon);
  const { model, sha256, compute } = order;
  const engine = await GuardEngine.open({
    addon,
    model,
    ...engineOptionsOf(compute),
    // The best that a confined process can use; a device must be named.
    backend: compute.backend === 'auto' ? 'cpu' : compute.backend,
    ...(sha256 === null ? {} : { sha256 }),
  });
  const { architecture, backend, isa, context } = engine.info;
  const { name, scorer, note } = await drive(engine, order);
  await warmUp(engine, context);
  const ready: Ready = {
    type: 'ready',
    model: basename(model).slice(0, 255),
    architecture,
    backend: `${backend} ${isa}`,
    preset: name,
    labels: [...scorer.labels],
    note,
    unconfined: compute.backend === 'cuda' ? DEVICE_NEEDS_MORE : addon.confine(),
  };
  return { answers: engineAnswers(engine, scorer), ready };
}

/** The preset at work; who only examines a file is told instead why there is none. */
async function drive(
  engine: GuardEngine,
  order: Extract<GuardRequest, { type: 'open' }>,
): Promise<{ readonly name: string; readonly scorer: Scorer; readonly note: string }> {
  const { architecture } = engine.info;
  try {
    const preset = choosePreset({ architecture, model: basename(order.model), wanted: order.preset });
    if (typeof preset === 'string') throw new GuardFault('unsupported', preset);
    return { name: preset.name, scorer: await makeScorer(engine, preset), note: '' };
  } catch (fault) {
    if (!order.examine || !(fault instanceof GuardFault)) throw fault;
    const scorer: Scorer = { labels: [], score: () => Promise.reject(fault) };
    return { name: '', scorer, note: fault.message };
  }
}

/** One pass while threads and memory can still be had freely. */
async function warmUp(engine: GuardEngine, context: number): Promise<void> {
  const tokens = Int32Array.from({ length: Math.min(32, context) }, () => 0);
  await engine.score({ tokens, labels: engine.info.isEncoder ? [] : [0] });
}

export function refusalOf(fault: unknown): GuardAnswer {
  const sentence = (fault instanceof Error ? fault.message : String(fault)).slice(0, 1024);
  return { type: 'refused', code: fault instanceof GuardFault ? fault.code : 'addon_unusable', sentence };
}
