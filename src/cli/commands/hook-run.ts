import { LIMITS } from '../../core/index.ts';
import { argument, defineCommand } from '../command.ts';
import { HOST_NAMES, hostNamed, WHEN_LATE_OPTION, whenLateOf } from './hook-file.ts';

export const hookRun = defineCommand({
  name: 'hook run',
  summary:
    'Answer one hook message of a host (installed by `hook install`): deny, ask, or silence; never "allow".',
  arguments: [{ name: 'HOST', help: HOST_NAMES }],
  options: { 'when-late': WHEN_LATE_OPTION },
  examples: ['sallyport hook run claude-code < message.json'],
  async run({ args, values, output, state, terminal }) {
    const host = hostNamed(argument(args, 0));
    const whenLate = whenLateOf(values['when-late']);
    const { runHook } = await import('../relay/index.ts');
    const answer = await runHook({
      host,
      stdin: (await terminal.readAll(LIMITS.decideBodyBytes)).toString('utf8'),
      socket: state.hookSocket,
      whenLate,
    });
    output.raw(answer.stdout);
    if (answer.stderr !== '') output.note(answer.stderr.trimEnd());
    return answer.exitCode;
  },
});
