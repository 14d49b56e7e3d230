import { expect, it } from 'vitest';
import { BACKEND_NAMES, PRESET_NAMES, STREAMING_NAMES } from '../../../src/cli/commands/guard-options.ts';
import { BACKENDS, PRESETS, STREAMING } from '../../../src/guard/index.ts';

it('the help of the guard verbs names what the guard room knows', () => {
  expect(PRESET_NAMES).toEqual(PRESETS.map(({ name }) => name));
  expect(BACKEND_NAMES).toEqual(BACKENDS);
  expect(STREAMING_NAMES).toEqual(STREAMING);
});
