import { COMMON_OPTIONS } from '../arguments.ts';
import type { Command } from '../command.ts';

export interface CompletedOption {
  readonly name: string;
  readonly short: string | null;
  /** `file` and `text` take a value; for a text nothing is offered. */
  readonly value: 'none' | 'file' | 'text';
  readonly help: string;
}

/** One place that the words of a command line can lead to. */
export interface Place {
  /** `agent`, `agent add`; empty for the beginning. */
  readonly words: string;
  /** Words that can come next, with what they mean. */
  readonly next: readonly (readonly [word: string, help: string])[];
  readonly options: readonly CompletedOption[];
  /** `-- CMD…` follows. */
  readonly rest: boolean;
}

/** The table of verbs as a tree, which every shell's script is written from. */
export function placesOf(commands: readonly Command[]): readonly Place[] {
  const names = new Set(['']);
  for (const { name } of commands) {
    const words = name.split(' ');
    for (const at of words.keys()) names.add(words.slice(0, at + 1).join(' '));
  }
  return [...names].map((words) => placeOf(words, commands));
}

function placeOf(words: string, commands: readonly Command[]): Place {
  const prefix = words === '' ? '' : `${words} `;
  const next = new Map<string, string>();
  for (const { name, summary } of commands) {
    if (!name.startsWith(prefix)) continue;
    const [word = '', ...more] = name.slice(prefix.length).split(' ');
    if (!next.has(word)) next.set(word, more.length === 0 ? summary : `${word} …`);
  }
  if (words === '') next.set('help', 'Show help.');
  const command = commands.find(({ name }) => name === words);
  const specs = { ...(command?.options ?? {}), ...COMMON_OPTIONS };
  return {
    words,
    next: [...next],
    options: Object.entries(specs).map(([name, spec]) => ({
      name,
      short: 'short' in spec ? (spec.short ?? null) : null,
      value: spec.type === 'boolean' ? 'none' : /FILE|DIR/.test(spec.value ?? '') ? 'file' : 'text',
      help: spec.help,
    })),
    rest: command?.rest !== null && command !== undefined,
  };
}

/** A text between single quotes, for any of the shells. */
export function quoted(text: string, shell: 'posix' | 'fish'): string {
  const escaped =
    shell === 'posix' ? text.replaceAll("'", "'\\''") : text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  return `'${escaped}'`;
}
