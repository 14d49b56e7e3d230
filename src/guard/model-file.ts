import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { GuardFault } from './engine/fault.ts';

/** The model that comes with the program. */
export const DEFAULT_MODEL = 'models/canary-guard.gguf';

/** A model file, and what its bytes must be. */
export interface ModelFile {
  readonly path: string;
  readonly sha256: string | null;
}

/**
 * The model of the settings, or the program's own where that exists; null: there is none. Its pin is that of the
 * settings, or stands in `<file>.sha256` as sha256sum writes it. Throws GuardFault for a pin that can't be read.
 */
export function findModel(o: {
  readonly model: string | null;
  readonly sha256: string | null;
  readonly home: string;
  readonly programRoot: string;
}): ModelFile | null {
  const path = o.model === null ? join(o.programRoot, DEFAULT_MODEL) : resolve(o.home, o.model);
  if (o.model === null && !existsSync(path)) return null;
  return { path, sha256: o.sha256 ?? pinBeside(path) };
}

function pinBeside(path: string): string | null {
  const page = `${path}.sha256`;
  if (!existsSync(page)) return null;
  const [pin = ''] = readFileSync(page, 'utf8').trim().split(/\s+/);
  if (/^[0-9a-f]{64}$/.test(pin)) return pin;
  throw new GuardFault('pin_mismatch', `${page} does not begin with a SHA-256 in lower-case hex.`);
}
