import { describe, expect, it } from 'vitest';
import type { Disaster } from '../crash/disasters/disaster.ts';
import { clockJumps, fullDisk, readOnly } from '../crash/disasters/index.ts';

const LIMIT_MS = 240_000;

/** A slow disk is slow by its nature: `npm run crash-test` has it. */
describe('nothing that was acknowledged is lost, and nothing leaves unrecorded, by', () => {
  it('a full disk', () => withstand(fullDisk), LIMIT_MS);
  it('read-only files', () => withstand(readOnly), LIMIT_MS);
  it('clock jumps', () => withstand(clockJumps), LIMIT_MS);
});

async function withstand(disaster: Disaster): Promise<void> {
  const lines: string[] = [];
  for await (const line of disaster.run()) lines.push(line);
  expect(lines.at(-1)).toMatch(/^chain whole over \d+ records; all \d+ acknowledged things are there$/);
}
