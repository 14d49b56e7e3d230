import { describe, expect, it } from 'vitest';
import { DISASTERS } from '../crash/disasters/index.ts';

/** Slow by its nature: by `npm run crash-test` alone. */
const BY_COMMAND_ALONE = 'slow-disk';

describe('nothing that was acknowledged is lost, and nothing leaves unrecorded, by', () => {
  for (const { name, title, run } of DISASTERS) {
    if (name === BY_COMMAND_ALONE) continue;
    it(title, async () => {
      const lines: string[] = [];
      for await (const line of run()) lines.push(line);
      expect(lines.at(-1)).toMatch(/^chain whole over \d+ records; all \d+ acknowledged things are there$/);
    }, 120_000);
  }
});
