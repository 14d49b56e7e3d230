import { COMMON_OPTIONS } from './arguments.ts';
import type { ArgumentSpec, Command, OptionSpecs } from './command.ts';

/** `sallyport agent add NAME [options]`. */
export function usageOf(command: Command): string {
  const words = command.arguments.map(wordOf);
  const options = Object.keys(command.options).length > 0 ? ['[options]'] : [];
  const rest = command.rest === null ? [] : [command.rest];
  return ['sallyport', command.name, ...words, ...options, ...rest].join(' ');
}

/** The help of one verb. */
export function helpOf(command: Command): string {
  const parts = [`${command.summary}\n\nUsage: ${usageOf(command)}`];
  if (command.arguments.length > 0) {
    parts.push(`Arguments:\n${columns(command.arguments.map(({ name, help }) => [name, help]))}`);
  }
  if (Object.keys(command.options).length > 0)
    parts.push(`Options:\n${columns(optionLines(command.options))}`);
  parts.push(`Everywhere:\n${columns(optionLines(COMMON_OPTIONS))}`);
  parts.push(`Examples:\n${command.examples.map((one) => `  ${one}`).join('\n')}`);
  return parts.join('\n\n');
}

/** All verbs, or those of one group. */
export function overview(commands: readonly Command[], group: string | null): string {
  const shown = commands.filter(({ name }) => group === null || name.startsWith(`${group} `));
  const lines = columns(shown.map((command) => [command.name, command.summary]));
  return `Usage: sallyport VERB [arguments] [options]\n\n${lines}\n\nsallyport VERB --help tells more about one.`;
}

export function optionLines(options: OptionSpecs): (readonly [string, string])[] {
  return Object.entries(options).map(([name, { short, value, help, multiple }]) => {
    const names = short === undefined ? `--${name}` : `-${short}, --${name}`;
    return [
      value === undefined ? names : `${names} ${value}`,
      multiple === true ? `${help} Can be repeated.` : help,
    ];
  });
}

function columns(lines: readonly (readonly [string, string])[]): string {
  const wide = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `  ${left.padEnd(wide)}  ${right}`).join('\n');
}

function wordOf({ name, optional, repeats }: ArgumentSpec): string {
  const word = repeats === true ? `${name}…` : name;
  return optional === true ? `[${word}]` : word;
}
