import { findCommand, parseCommandLine, splitRest } from './arguments.ts';
import { AdminClient } from './client/admin-client.ts';
import { findAdminToken } from './client/token.ts';
import type { Command } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { CliFault, EXIT } from './fault.ts';
import { toFault } from './foreign-fault.ts';
import { helpOf, overview } from './help.ts';
import { Output, type Stream } from './output.ts';
import { type Environment, State } from './state.ts';
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
    if (head[0] === 'help') return showHelp(output, head.slice(1));
    const found = findCommand(COMMANDS, head);
    if (found === null) return showOverview(output, head);
    return await runCommand(o, output, found.command, found.words, rest);
  } catch (cause) {
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
  if (common.help) {
    output.raw(`${helpOf(command)}\n`);
    return EXIT.ok;
  }
  const state = new State(o.environment, common['ca-file']);
  const context = {
    values,
    args,
    rest,
    output,
    terminal: new Terminal({ input: o.input, prompt: o.err }),
    state,
    signal: o.signal,
    url: common.url,
    get client() {
      const token = () => findAdminToken(state, common['token-file']);
      const url = common.url ?? state.controlUrl;
      return new AdminClient({ url, token, signal: o.signal, trust: state.trust });
    },
  };
  return (await command.run(context)) ?? EXIT.ok;
}

/** `sallyport help [VERB]`. */
function showHelp(output: Output, words: readonly string[]): number {
  const found = findCommand(COMMANDS, words);
  output.raw(`${found === null ? overview(COMMANDS, words[0] ?? null) : helpOf(found.command)}\n`);
  return EXIT.ok;
}

function showOverview(output: Output, words: readonly string[]): number {
  const group = words.find((word) => !word.startsWith('-')) ?? null;
  const unknown = words.find((word) => word.startsWith('-') && !/^(-h|--help|--json)$/.test(word));
  if (unknown !== undefined && group === null) {
    throw new CliFault(EXIT.usage, 'usage', `There is no option ${unknown} without a verb.`, {
      remedy: 'See: sallyport help',
    });
  }
  output.raw(`${overview(COMMANDS, group)}\n`);
  return words.some((word) => /^(-h|--help)$/.test(word)) ? EXIT.ok : EXIT.usage;
}
