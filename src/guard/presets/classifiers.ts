import type { Preset } from './preset.ts';

const promptGuard = (size: string): Preset => ({
  name: `prompt-guard-2-${size.toLowerCase()}`,
  title: `Llama Prompt Guard 2 ${size}`,
  architectures: ['deberta-v2'],
  licence: 'Llama 4 Community',
  threshold: 0.9,
  windowTokens: 512,
  source: 'model card; LlamaFirewall prompt_guard_scanner.py',
  scoring: {
    kind: 'classifier',
    danger: 1,
    temperature: 1,
    // Its tokenizer drops spaces, and LlamaFirewall takes every other white space out before.
    whitespace: 'removed',
    answers: { result: 'injection', call: 'injection' },
  },
});

/** Encoders that tell one kind of text from all others. */
export const CLASSIFIERS: readonly Preset[] = [
  promptGuard('22M'),
  promptGuard('86M'),
  {
    name: 'protectai-v2',
    title: 'ProtectAI deberta-v3-base-prompt-injection-v2',
    architectures: ['deberta-v2'],
    licence: 'Apache-2.0',
    threshold: 0.5,
    windowTokens: 512,
    source: 'model card',
    scoring: {
      kind: 'classifier',
      danger: 1,
      temperature: 1,
      whitespace: 'kept',
      answers: { result: 'injection' },
    },
  },
];
