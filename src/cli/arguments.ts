import { parseArgs } from 'node:util';
import { nearest } from '../core/index.ts';
import type { Command, OptionSpecs, Values } from './command.ts';
import { type CliFault, usageFault } from './fault.ts';

/** Options that every command takes. */
export const COMMON_OPTIONS = {
  json: { type: 'boolean', help: 'Answer in JSON; faults go to standard error as JSON, too.' },
  url: { type: 'string', value: 'URL', help: 'Address of the control plane; default: as configured here.' },
  'ca-file': {
    type: 'string',
    value: 'FILE',
    help: 'Certificates (PEM) to trust, too; default: tls.caFile of the settings.',
  },
  'token-file': { type: 'string', value: 'FILE', help: 'File that holds the admin token.' },
  help: { type: 'boolean', short: 'h', help: 'Show help.' },
} as const satisfies OptionSpecs;

export interface ParsedArguments {
  readonly values: Values<OptionSpecs>;
  readonly common: Values<typeof COMMON_OPTIONS>;
  readonly args: readonly string[];
  readonly rest: readonly string[] | null;
}

/** Splits off what stands behind `--`. */
export function splitRest(argv: readonly string[]): {
  head: readonly string[];
  rest: readonly string[] | null;
} {
  const at = argv.indexOf('--');
  return at < 0 ? { head: argv, rest: null } : { head: argv.slice(0, at), rest: argv.slice(at + 1) };
}

/** Reads the words behind a verb. Throws CliFault `usage` that names the nearest known option. */
export function parseCommandLine(
  command: Command,
  words: readonly string[],
  rest: readonly string[] | null,
): ParsedArguments {
  const options: OptionSpecs = { ...command.options, ...COMMON_OPTIONS };
  const { values, positionals } = parse(command, words, options);
  const all = Object.fromEntries(
    Object.entries(options).map(([name, spec]) => [name, values[name] ?? absent(spec)]),
  ) as Values<OptionSpecs>;
  const common = all as Values<typeof COMMON_OPTIONS>;
  if (!common.help) checkCounts(command, positionals, rest);
  return { values: all, common, args: positionals, rest };
}

function absent({ type, multiple }: OptionSpecs[string]): unknown {
  if (type === 'boolean') return false;
  return multiple === true ? [] : undefined;
}

function parse(command: Command, words: readonly string[], options: OptionSpecs) {
  checkKnown(command, words, options);
  try {
    return parseArgs({ args: [...words], options, allowPositionals: true, strict: true });
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw usageFault(message, seeHelp(command));
  }
}

/** parseArgs knows no nearest name, so that unknown options are looked for first. */
function checkKnown(command: Command, words: readonly string[], options: OptionSpecs): void {
  const { tokens } = parseArgs({
    args: [...words],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const known = Object.keys(options);
  for (const token of tokens) {
    // What stood behind `--` was split off before. parseArgs takes the dash in `-i-X` for one, and all that
    // follows for plain words.
    if (token.kind === 'option-terminator') {
      throw usageFault('A dash stands in the middle of short options.', seeHelp(command));
    }
    if (token.kind !== 'option' || known.includes(token.name)) continue;
    throw usageFault(
      `${command.name} has no option ${token.rawName}${nearest(
        token.rawName,
        known.map((name) => `--${name}`),
      )}`,
      seeHelp(command),
    );
  }
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option' || options[token.name]?.multiple === true) continue;
    if (seen.has(token.name)) throw usageFault(`${token.rawName} is given twice.`, seeHelp(command));
    seen.add(token.name);
  }
}

function checkCounts(command: Command, args: readonly string[], rest: readonly string[] | null): void {
  const missing = command.arguments.slice(args.length).find(({ optional }) => optional !== true);
  if (missing !== undefined) throw usageFault(`${command.name} needs ${missing.name}.`, seeHelp(command));
  if (args.length > command.arguments.length && command.arguments.at(-1)?.repeats !== true) {
    throw usageFault(
      `${command.name} takes no further word than these: ${JSON.stringify(args.at(-1))}.`,
      seeHelp(command),
    );
  }
  if (command.rest === null && rest !== null)
    throw usageFault(`${command.name} takes nothing behind --.`, seeHelp(command));
  if (command.rest !== null && (rest === null || rest.length === 0)) {
    throw usageFault(`${command.name} needs ${command.rest}.`, seeHelp(command));
  }
}

function seeHelp(command: Command): string {
  return `See: sallyport ${command.name} --help`;
}

/** `alert sink add` has the most words. */
const LONGEST_VERB = 3;

/**
 * Finds the verb that the words begin with, the longest first; null when they name a group or nothing. Options
 * may stand before it (`sallyport --json agent list`). Throws CliFault `usage` that names the nearest verb.
 */
export function findCommand<T extends { readonly name: string }>(
  commands: readonly T[],
  words: readonly string[],
): { readonly command: T; readonly words: readonly string[] } | null {
  const places = [...words.keys()].filter((at) => isWord(words, at)).slice(0, LONGEST_VERB);
  const verb = (length: number): string =>
    places
      .slice(0, length)
      .map((at) => words[at])
      .join(' ');
  for (let length = places.length; length > 0; length -= 1) {
    const command = commands.find(({ name }) => name === verb(length));
    if (command === undefined) continue;
    const used = places.slice(0, length);
    return { command, words: words.filter((_, at) => !used.includes(at)) };
  }
  const isGroup = commands.some(({ name }) => `${name} `.startsWith(`${verb(places.length)} `));
  if (places.length === 0 || isGroup) return null;
  throw unknownVerb(commands, verb, places.length);
}

/** A word that is neither an option nor the value of a common one. */
function isWord(words: readonly string[], at: number): boolean {
  const before = words[at - 1];
  return !words[at]?.startsWith('-') && !/^--(url|token-file|ca-file)$/.test(before ?? '');
}

function unknownVerb(
  commands: readonly { readonly name: string }[],
  verb: (length: number) => string,
  words: number,
): CliFault {
  // As many words as a verb can still have: `agent ad builder` is near `agent add`.
  let length = 1;
  while (length < words && commands.some(({ name }) => name.startsWith(`${verb(length)} `))) length += 1;
  const typed = verb(length);
  const names = new Set(commands.flatMap(({ name }) => [name, name.split(' ')[0] ?? name]));
  return usageFault(
    `There is no verb ${JSON.stringify(typed)}${nearest(typed, [...names])}`,
    'See: sallyport help',
  );
}
