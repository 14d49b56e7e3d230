import { argument, defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { MODEL_OPTIONS } from './guard-options.ts';

export const guardCheck = defineCommand({
  name: 'guard check',
  summary:
    'Tell what a model file is, whether it is supported, and how fast; in a process that can reach nothing.',
  arguments: [{ name: 'FILE', help: 'A .gguf file, or a folder with config.json and model.safetensors.' }],
  options: MODEL_OPTIONS,
  examples: [
    'sallyport guard check models/canary-guard.gguf',
    'sallyport guard check guard.gguf --preset llama-guard-3-1b --json',
  ],
  async run({ args, values, output, state }) {
    const [{ examineGuard, PRESETS }, { digestOf, guarded, sourceOf }] = await Promise.all([
      import('../../guard/index.ts'),
      import('./guard-source.ts'),
    ]);
    const source = sourceOf(values, argument(args, 0), state);
    if (source.kind !== 'file') throw usageFault('guard check takes a file.');
    const { ready, examined } = await guarded(() => examineGuard(source));
    const { info, timings, peakBytes } = examined;
    const preset = PRESETS.find(({ name }) => name === ready.preset) ?? null;
    const found = {
      model: source.model,
      sha256: await digestOf(source.model),
      architecture: info.architecture,
      supported: preset !== null,
      preset: preset?.name ?? null,
      title: preset?.title ?? null,
      labels: ready.labels.length > 0 ? ready.labels : info.labels,
      threshold: preset?.threshold ?? null,
      tokenizer: info.tokenizer,
      vocabulary: info.vocabulary,
      context: info.context,
      layers: info.layers,
      width: info.width,
      weightBytes: info.weightBytes,
      backend: ready.backend,
      threads: info.threads,
      timings,
      peakBytes,
      confined: ready.unconfined === '',
    };
    output.item(found, [
      ...(['model', 'sha256', 'architecture', 'preset', 'title', 'labels', 'threshold'] as const).map(
        (name) => [name, name] as const,
      ),
      ['tokenizer', () => `${info.tokenizer}, ${info.vocabulary} tokens`],
      ['shape', () => `${info.layers} layers, width ${info.width}, context ${info.context} tokens`],
      ['weights', () => `${(info.weightBytes / 1024 ** 2).toFixed(1)} MiB`],
      ['backend', () => `${ready.backend}, ${info.threads} threads`],
      ['time', () => timings.map(({ tokens, ms }) => `${tokens} tokens ${ms.toFixed(1)} ms`).join(', ')],
      ['memory', () => `${(peakBytes / 1024 ** 2).toFixed(0)} MiB at most`],
      ['confined', () => (ready.unconfined === '' ? 'yes' : `no: ${ready.unconfined}`)],
    ]);
    if (preset === null) output.note(`The engine loads it, and no preset drives it: ${ready.note}`);
    return undefined;
  },
});
