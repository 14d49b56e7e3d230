import { clockJumps } from './clock-jumps.ts';
import type { Disaster } from './disaster.ts';
import { fullDisk } from './full-disk.ts';
import { readOnly } from './read-only.ts';
import { slowDisk } from './slow-disk.ts';

export const DISASTERS: readonly Disaster[] = [fullDisk, slowDisk, readOnly, clockJumps];

export { clockJumps, fullDisk, readOnly };
