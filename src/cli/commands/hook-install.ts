import { join } from 'node:path';
import { isHostName, withHooks } from '../../hooks/index.ts';
import { argument, defineCommand } from '../command.ts';
import { stateFault, usageFault } from '../fault.ts';
import { PROGRAM_ROOT } from '../state.ts';
import { HOST_NAMES, hookFile, readSettings, writeSettings } from './hook-file.ts';

export const hookInstall = defineCommand({
  name: 'hook install',
  summary: 'Put our hooks into a host’s settings; whatever else stands there stays.',
  arguments: [{ name: 'HOST', help: HOST_NAMES }],
  options: {
    file: { type: 'string', value: 'FILE', help: 'Settings file; default: the one in your home folder.' },
    'when-late': {
      type: 'string',
      value: 'VERDICT',
      help: 'What to say when the gate can not be asked in time: deny (default), ask or none.',
    },
  },
  examples: ['sallyport hook install claude-code', 'sallyport hook install codex --when-late ask'],
  async run({ args, values, output }) {
    const host = argument(args, 0);
    if (!isHostName(host)) throw usageFault(`${JSON.stringify(host)} is no host; ${HOST_NAMES}`);
    const late = values['when-late'] ?? 'deny';
    if (!/^(?:deny|ask|none)$/.test(late)) throw usageFault('--when-late is one of deny, ask, none.');
    const file = hookFile(host, values.file);
    const program = join(PROGRAM_ROOT, 'bin', 'sallyport');
    const command = `${quoted(program)} hook run ${host}${late === 'deny' ? '' : ` --when-late ${late}`}`;
    try {
      writeSettings(file, withHooks(readSettings(file) ?? {}, host, command));
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw stateFault(
        `${file}: ${cause.message}; nothing was changed.`,
        'Mend the file and try again.',
        cause,
      );
    }
    output.result({ host, file, command }, `${file} has our hooks. Start ${host} with: sallyport run -- …`);
    return undefined;
  },
});

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
