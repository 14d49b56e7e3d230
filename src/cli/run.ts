import { findCommand, parseCommandLine, splitRest } from './arguments.ts';
import type { BareContext, Command, OptionSpecs, Values } from './command.ts';
import { loadCommands, VERBS } from './commands/index.ts';
import type { Environment } from './environment.ts';
import { CliFault, EXIT } from './fault.ts';
import { Output, type Stream } from './output.ts';
import { Terminal } from './terminal.ts';

export interface CliInput {
  /** The words behind `sallyport`. */
  readonly argv: readonly string[];
  readonly environment: Environment;
  readonly input: NodeJS.ReadStream;
  readonly out: Stream;
  readonly err: Stream;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Runs one command line; resolves with the exit code and never rejects. */
export async function runCli(o: CliInput): Promise<number> {
  const { head, rest } = splitRest(o.argv);
  const output = new Output({ json: head.includes('--json'), out: o.out, err: o.err });
  try {
    if (head[0] === 'help') return await showHelp(output, head.slice(1));
    const found = findCommand(VERBS, head);
    if (found === null) return await showOverview(output, head);
    return await runCommand(o, output, await found.command.load(), found.words, rest);
  } catch (cause) {
    const { toFault } = await import('./foreign-fault.ts');
    const fault = toFault(cause);
    output.fault(fault);
    return fault.exitCode;
  }
}

async function runCommand(
  o: CliInput,
  output: Output,
  command: Command,
  words: readonly string[],
  rest: readonly string[] | null,
): Promise<number> {
  const { values, common, args } = parseCommandLine(command, words, rest);
  if (common.help) return showHelpOf(output, command);
  const context: BareContext<Values<OptionSpecs>> = {
    values,
    args,
    rest,
    output,
    terminal: new Terminal({ input: o.input, prompt: o.err }),
    environment: o.environment,
    signal: o.signal,
  };
  if (command.kind === 'bare') return (await command.run(context)) ?? EXIT.ok;
  const { fullContext } = await import('./full-context.ts');
  return (await command.run(fullContext(context, common))) ?? EXIT.ok;
}

/** `sallyport help [VERB]`. */
async function showHelp(output: Output, words: readonly string[]): Promise<number> {
  const found = findCommand(VERBS, words);
  if (found !== null) return showHelpOf(output, await found.command.load());
  await writeOverview(output, words[0] ?? null);
  return EXIT.ok;
}

async function showHelpOf(output: Output, command: Command): Promise<number> {
  const { helpOf } = await import('./help.ts');
  output.raw(`${helpOf(command)}\n`);
  return EXIT.ok;
}

async function showOverview(output: Output, words: readonly string[]): Promise<number> {
  const group = words.find((word) => !word.startsWith('-')) ?? null;
  const unknown = words.find((word) => word.startsWith('-') && !/^(-h|--help|--json)$/.test(word));
  if (unknown !== undefined && group === null) {
    throw new CliFault(EXIT.usage, 'usage', `There is no option ${unknown} without a verb.`, {
      remedy: 'See: sallyport help',
    });
  }
  await writeOverview(output, group);
  return words.some((word) => /^(-h|--help)$/.test(word)) ? EXIT.ok : EXIT.usage;
}

async function writeOverview(output: Output, group: string | null): Promise<void> {
  const [{ overview }, commands] = await Promise.all([import('./help.ts'), loadCommands()]);
  output.raw(`${overview(commands, group)}\n`);
}
