import { findOurs, isHostName, withoutHooks } from '../../hooks/index.ts';
import { argument, defineCommand } from '../command.ts';
import { stateFault, usageFault } from '../fault.ts';
import { HOST_NAMES, hookFile, readSettings, writeSettings } from './hook-file.ts';

export const hookUninstall = defineCommand({
  name: 'hook uninstall',
  summary: 'Take our hooks out of a host’s settings; whatever else stands there stays.',
  arguments: [{ name: 'HOST', help: HOST_NAMES }],
  options: {
    file: { type: 'string', value: 'FILE', help: 'Settings file; default: the one in your home folder.' },
  },
  examples: ['sallyport hook uninstall claude-code'],
  async run({ args, values, output }) {
    const host = argument(args, 0);
    if (!isHostName(host)) throw usageFault(`${JSON.stringify(host)} is no host; ${HOST_NAMES}`);
    const file = hookFile(host, values.file);
    const settings = readSettings(file) ?? {};
    try {
      const events = findOurs(settings);
      if (events > 0) writeSettings(file, withoutHooks(settings));
      output.result(
        { host, file, events },
        events > 0 ? `${file} is free of our hooks.` : `${file} had none of our hooks.`,
      );
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw stateFault(
        `${file}: ${cause.message}; nothing was changed.`,
        'Mend the file and try again.',
        cause,
      );
    }
    return undefined;
  },
});
