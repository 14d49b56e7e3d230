import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Addon, loadAddon } from '../../src/guard/engine/addon.ts';
import { findAddon } from '../../src/guard/engine/addon-file.ts';
import { GuardFault } from '../../src/guard/engine/fault.ts';
import { repositoryRoot } from '../support/shared.ts';

export const golden = (name: string) => join(repositoryRoot, 'native/test/golden', name);

interface Golden {
  readonly tolerance: number;
  readonly temperature?: readonly number[];
  readonly bias?: readonly number[];
  readonly cases: readonly { readonly ids: readonly number[]; readonly logits: readonly number[] }[];
}

export function readGolden(name: string): Golden {
  return JSON.parse(readFileSync(golden(`${name}.json`), 'utf8'));
}

/** The addon, or why these tests are skipped: a machine without a compiler has none, and says so at the start. */
export function addonOrReason(): { readonly addon: Addon } | { readonly reason: string } {
  try {
    return { addon: loadAddon(findAddon().addon) };
  } catch (thrown) {
    if (thrown instanceof GuardFault && !existsSync(join(repositoryRoot, 'native/build/guard.node'))) {
      return { reason: thrown.message };
    }
    throw thrown;
  }
}
