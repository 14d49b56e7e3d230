import { argument, type Command, defineCommand } from '../command.ts';
import { completionScript, SHELL_NAMES } from '../completion/index.ts';
import { usageFault } from '../fault.ts';

/** `commands`: all verbs, this one included; asked for when it runs, since the table holds this verb, too. */
export const completion = (commands: () => readonly Command[]): Command =>
  defineCommand({
    name: 'completion',
    summary: 'Print the completion script of a shell.',
    arguments: [{ name: 'SHELL', help: `${SHELL_NAMES.join(', ')}.` }],
    examples: [
      'source <(sallyport completion bash)',
      'sallyport completion fish > ~/.config/fish/completions/sallyport.fish',
    ],
    async run({ args, output }) {
      const shell = argument(args, 0);
      const script = completionScript(shell, commands());
      if (script === null) {
        throw usageFault(
          `There is no completion for ${JSON.stringify(shell)}.`,
          `Known: ${SHELL_NAMES.join(', ')}.`,
        );
      }
      output.raw(script);
      return undefined;
    },
  });
