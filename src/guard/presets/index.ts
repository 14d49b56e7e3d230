import { AGENT_DOGS } from './agent-dog.ts';
import { CLASSIFIERS } from './classifiers.ts';
import { LLAMA_GUARDS } from './llama-guard.ts';
import type { Preset } from './preset.ts';
import { QWEN3_GUARD } from './qwen3-guard.ts';

export type { Preset } from './preset.ts';

const CANARY: Preset = {
  name: 'canary-guard',
  title: 'the guard model of Sallyport',
  architectures: ['canary-guard'],
  licence: 'Apache-2.0',
  threshold: 0.5,
  windowTokens: 8192,
  source: 'docs/reference/guard-model.md',
  scoring: { kind: 'labelled' },
};

/** Every guard model whose template and rule are known, one line a model. */
export const PRESETS: readonly Preset[] = [
  CANARY,
  ...CLASSIFIERS,
  ...LLAMA_GUARDS,
  QWEN3_GUARD,
  ...AGENT_DOGS,
];

/** Those that can drive a model of this architecture. */
export function presetsFor(architecture: string): readonly Preset[] {
  return PRESETS.filter((preset) => preset.architectures.includes(architecture));
}

/**
 * The preset that a file is driven by: the named one, or the one whose name the file's name holds, or the only one
 * of its architecture; else the sentence that says why there is none.
 */
export function choosePreset(o: {
  readonly architecture: string;
  readonly model: string;
  readonly wanted: string | null;
}): Preset | string {
  const fitting = presetsFor(o.architecture);
  const names = fitting.map(({ name }) => name).join(', ');
  if (o.wanted !== null) {
    const named = fitting.find(({ name }) => name === o.wanted);
    return (
      named ??
      `The preset ${o.wanted} is not for a model of architecture ${o.architecture} (fitting: ${names || 'none'}).`
    );
  }
  if (fitting.length === 0) return `No preset is known for a model of architecture ${o.architecture}.`;
  const plain = plainName(o.model);
  const [named, another] = fitting.filter(({ name }) => plain.includes(plainName(name)));
  if (named !== undefined && another === undefined) return named;
  const [only, more] = fitting;
  if (only !== undefined && more === undefined) return only;
  return `Several presets fit this file; guard.preset must name one of ${names}.`;
}

function plainName(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}
