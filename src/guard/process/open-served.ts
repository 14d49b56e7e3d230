import { basename } from 'node:path';
import { type Addon, loadAddon } from '../engine/addon.ts';
import { GuardEngine } from '../engine/engine.ts';
import { GuardFault } from '../engine/fault.ts';
import { choosePreset } from '../presets/index.ts';
import { makeScorer } from '../scorer.ts';
import type { Served } from './answer.ts';
import type { GuardAnswer, GuardRequest, Ready } from './messages.ts';

/** Opens the model and gives up, if this process shall serve strangers' texts, what it no longer needs. */
export async function openServed(
  order: Extract<GuardRequest, { type: 'open' }>,
): Promise<{ readonly served: Served; readonly ready: Ready }> {
  const addon: Addon = loadAddon(order.addon);
  const { model, sha256, threads } = order;
  const engine = await GuardEngine.open({ addon, model, threads, ...(sha256 === null ? {} : { sha256 }) });
  const { architecture, isa, context } = engine.info;
  const preset = choosePreset({ architecture, model: basename(model), wanted: order.preset });
  if (typeof preset === 'string') throw new GuardFault('unsupported', preset);
  const scorer = await makeScorer(engine, preset);
  await warmUp(engine, context);
  const ready: Ready = {
    type: 'ready',
    model: basename(model).slice(0, 255),
    architecture,
    backend: `cpu ${isa}`,
    preset: preset.name,
    labels: [...scorer.labels],
    unconfined: addon.confine(),
  };
  return { served: { engine, scorer }, ready };
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
