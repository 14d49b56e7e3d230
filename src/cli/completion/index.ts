import type { Command } from '../command.ts';
import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import { type Place, placesOf } from './grammar.ts';
import { zshScript } from './zsh.ts';

const SHELLS: ReadonlyMap<string, (places: readonly Place[]) => string> = new Map([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
]);

export const SHELL_NAMES: readonly string[] = [...SHELLS.keys()];

/** The completion script of a shell; null for a shell that we don't know. */
export function completionScript(shell: string, commands: readonly Command[]): string | null {
  return SHELLS.get(shell)?.(placesOf(commands)) ?? null;
}
