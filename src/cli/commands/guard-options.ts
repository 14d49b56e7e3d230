/**
 * Names as the guard room knows them. They stand here a second time so that help does not wait for that room; a test
 * holds both against each other.
 */
export const PRESET_NAMES = [
  'canary-guard',
  'prompt-guard-2-22m',
  'prompt-guard-2-86m',
  'protectai-v2',
  'llama-guard-3-1b',
  'llama-guard-3-8b',
  'qwen3guard-gen',
  'agentdog-qwen',
  'agentdog-llama',
] as const;
export const BACKEND_NAMES = ['auto', 'cpu', 'cuda', 'simulated'] as const;
export const STREAMING_NAMES = ['auto', 'resident', 'pinned', 'disk'] as const;

/** What the verbs that open a model have in common. */
export const MODEL_OPTIONS = {
  sha256: {
    type: 'string',
    value: 'HEX',
    help: 'What the SHA-256 of the file must be; checked before it is parsed.',
  },
  preset: {
    type: 'string',
    value: 'NAME',
    help: `How it is asked: ${PRESET_NAMES.join(', ')}.`,
  },
  threads: { type: 'string', value: 'COUNT', help: 'Threads that compute; default: as configured.' },
  int8: { type: 'boolean', help: 'Rounds a float model to int8 while it is read.' },
  backend: { type: 'string', value: 'NAME', help: `What computes: ${BACKEND_NAMES.join(', ')}.` },
  streaming: {
    type: 'string',
    value: 'WAY',
    help: `Where layers lie that the device has no room for: ${STREAMING_NAMES.join(', ')}.`,
  },
  'max-device-bytes': { type: 'string', value: 'BYTES', help: 'Most memory of the device for layers.' },
  'max-pinned-bytes': { type: 'string', value: 'BYTES', help: 'Most host memory for layers.' },
  'simulated-link': {
    type: 'string',
    value: 'BYTES',
    help: 'Bytes a second of the link of the simulated backend.',
  },
} as const;

export interface ModelValues {
  readonly sha256: string | undefined;
  readonly preset: string | undefined;
  readonly threads: string | undefined;
  readonly int8: boolean | undefined;
  readonly backend: string | undefined;
  readonly streaming: string | undefined;
  readonly 'max-device-bytes': string | undefined;
  readonly 'max-pinned-bytes': string | undefined;
  readonly 'simulated-link': string | undefined;
}
