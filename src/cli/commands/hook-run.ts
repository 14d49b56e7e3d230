import { LIMITS } from '../../core/index.ts';
import { argument, defineBareCommand } from '../command.ts';
import { HOST_NAMES, hostNamed, WHEN_LATE_OPTION, whenLateOf } from './hook-options.ts';

export const hookRun = defineBareCommand({
  name: 'hook run',
  summary:
    'Answer one hook message of a host (installed by `hook install`): deny, ask, or silence; never "allow".',
  arguments: [{ name: 'HOST', help: HOST_NAMES }],
  options: { 'when-late': WHEN_LATE_OPTION },
  examples: ['sallyport hook run claude-code < message.json'],
  async run({ args, values, output, environment, terminal }) {
    const host = hostNamed(argument(args, 0));
    const whenLate = whenLateOf(values['when-late']);
    // Not by the relay's door: a host starts this before each call of a tool, and the relay is another process.
    const { runHook } = await import('../relay/hook-client.ts');
    const answer = await runHook({
      host,
      stdin: (await terminal.readAll(LIMITS.decideBodyBytes)).toString('utf8'),
      socket: environment.SALLYPORT_HOOK_SOCKET,
      whenLate,
    });
    output.raw(answer.stdout);
    if (answer.stderr !== '') output.note(answer.stderr.trimEnd());
    return answer.exitCode;
  },
});
