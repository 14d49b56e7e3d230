import { argument, defineCommand } from '../command.ts';
import { FILE_OPTION, HOST_NAMES, hostNamed } from './hook-options.ts';

export const hookUninstall = defineCommand({
  name: 'hook uninstall',
  summary: 'Take our hooks out of a host’s settings; whatever else stands there stays.',
  arguments: [{ name: 'HOST', help: HOST_NAMES }],
  options: { file: FILE_OPTION },
  examples: ['sallyport hook uninstall claude-code'],
  async run({ args, values, output }) {
    const host = hostNamed(argument(args, 0));
    const [{ changeSettings, hookFile }, { findOurs, withoutHooks }] = await Promise.all([
      import('./hook-file.ts'),
      import('../../hooks/index.ts'),
    ]);
    const file = hookFile(host, values.file);
    let events = 0;
    changeSettings(file, (settings) => {
      events = findOurs(settings);
      return events > 0 ? withoutHooks(settings) : null;
    });
    output.result(
      { host, file, events },
      events > 0 ? `${file} is free of our hooks.` : `${file} had none of our hooks.`,
    );
    return undefined;
  },
});
