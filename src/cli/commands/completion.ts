import { argument, type Command, defineBareCommand } from '../command.ts';
import { completionScript, SHELL_NAMES } from '../completion/index.ts';
import { usageFault } from '../fault.ts';

/** `commands`: all verbs, this one included; loaded when it runs, since the table holds this verb, too. */
export const completion = (commands: () => Promise<readonly Command[]>): Command =>
  defineBareCommand({
    name: 'completion',
    summary: 'Print the completion script of a shell.',
    arguments: [{ name: 'SHELL', help: `${SHELL_NAMES.join(', ')}.` }],
    examples: [
      'source <(sallyport completion bash)',
      'sallyport completion fish > ~/.config/fish/completions/sallyport.fish',
    ],
    async run({ args, output }) {
      const shell = argument(args, 0);
      const script = completionScript(shell, await commands());
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
