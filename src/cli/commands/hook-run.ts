import { LIMITS } from '../../core/index.ts';
import { isHostName } from '../../hooks/index.ts';
import { argument, defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { HOST_NAMES } from './hook-file.ts';

const WHEN_LATE = ['deny', 'ask', 'none'] as const;

export const hookRun = defineCommand({
  name: 'hook run',
  summary:
    'Answer one hook message of a host (installed by `hook install`): deny, ask, or silence; never "allow".',
  arguments: [{ name: 'HOST', help: HOST_NAMES }],
  options: {
    'when-late': {
      type: 'string',
      value: 'VERDICT',
      help: 'What to say when the gate can not be asked in time: deny (default), ask or none.',
    },
  },
  examples: ['sallyport hook run claude-code < message.json'],
  async run({ args, values, output, state, terminal }) {
    const host = argument(args, 0);
    if (!isHostName(host)) throw usageFault(`${JSON.stringify(host)} is no host; ${HOST_NAMES}`);
    const late = values['when-late'] ?? 'deny';
    const whenLate = WHEN_LATE.find((verdict) => verdict === late);
    if (whenLate === undefined) throw usageFault(`--when-late is one of ${WHEN_LATE.join(', ')}.`);
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
