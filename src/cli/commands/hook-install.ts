import { argument, defineCommand } from '../command.ts';
import { FILE_OPTION, HOST_NAMES, hostNamed, WHEN_LATE_OPTION, whenLateOf } from './hook-options.ts';

export const hookInstall = defineCommand({
  name: 'hook install',
  summary: 'Put our hooks into a host’s settings; whatever else stands there stays.',
  arguments: [{ name: 'HOST', help: HOST_NAMES }],
  options: { file: FILE_OPTION, 'when-late': WHEN_LATE_OPTION },
  examples: ['sallyport hook install claude-code', 'sallyport hook install codex --when-late ask'],
  async run({ args, values, output }) {
    const host = hostNamed(argument(args, 0));
    const late = whenLateOf(values['when-late']);
    const [{ hookCommand }, { changeSettings, hookFile }, { withHooks }] = await Promise.all([
      import('./hook-client.ts'),
      import('./hook-file.ts'),
      import('../../hooks/index.ts'),
    ]);
    const file = hookFile(host, values.file);
    const { command, compiled } = hookCommand(host, late);
    changeSettings(file, (settings) => withHooks(settings, host, command));
    output.result(
      { host, file, command, compiled },
      `${file} has our hooks. Start ${host} with: sallyport run -- …`,
    );
    if (!compiled)
      output.note(
        'No C++ compiler was found: each hook starts Node. Install one and repeat, and hooks answer in milliseconds.',
      );
    return undefined;
  },
});
