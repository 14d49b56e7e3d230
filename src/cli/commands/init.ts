import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Config } from '../../config/index.ts';
import { SecretBytes } from '../../core/index.ts';
import { defineCommand } from '../command.ts';
import { stateFault } from '../fault.ts';
import type { Terminal } from '../terminal.ts';
import { readPassphrase } from './read-passphrase.ts';

const SETTINGS = `# Settings of this installation: sections with names, such as
#
#   detector:
#     profile: strict
#
# What is not named stands at its default; docs/reference/configuration.md lists all.
`;

export const init = defineCommand({
  name: 'init',
  summary: 'Make settings file, keys, database and policies folder without staying up.',
  examples: ['sallyport init', 'SALLYPORT_HOME=/srv/sallyport sallyport init'],
  async run({ output, state, terminal }) {
    const { config } = state;
    const { paths } = config;
    mkdirSync(paths.home, { recursive: true, mode: 0o700 });
    if (!existsSync(paths.file)) writeFileSync(paths.file, SETTINGS, { flag: 'wx', mode: 0o600 });
    const { startService } = await import('../../compose/index.ts');
    // A whole start on free ports, so that there is one way only in which state is made.
    const service = await startService({
      config: { ...config, control: onFreePort(config.control), gateway: onFreePort(config.gateway) },
      isTerminal: false,
      passphrase: await passphraseOf(config, terminal),
      onFault: (fault) => output.note(fault instanceof Error ? fault.message : String(fault)),
    });
    await service.stop('init');
    const made = {
      home: paths.home,
      settings: paths.file,
      keys: paths.keys,
      data: paths.data,
      policies: paths.policies,
    };
    output.result(
      { ...made, first: service.first },
      service.first ? `Made ${paths.home}.` : `${paths.home} was complete.`,
    );
    if (service.administrator.kind === 'written') {
      output.say(
        `The administrator's token stands in ${service.administrator.file}; this command finds it there.`,
      );
    }
    output.say('Start the service: sallyport up');
    return undefined;
  },
});

function onFreePort<T extends { readonly host: string }>(listener: T): T & { port: number; publicUrl: null } {
  return { ...listener, host: '127.0.0.1', port: 0, publicUrl: null };
}

async function passphraseOf(config: Config, terminal: Terminal): Promise<SecretBytes | null> {
  if (config.vault.seal === 'file') return null;
  if (config.vault.passphraseFile === null && !terminal.isInteractive) {
    throw stateFault(
      'The vault asks for a passphrase.',
      'Set vault.passphraseFile, or run this on a terminal.',
    );
  }
  if (config.vault.passphraseFile === null) return new SecretBytes(await readPassphrase(terminal));
  return SecretBytes.fromUtf8(readFileSync(config.vault.passphraseFile, 'utf8').replace(/\r?\n$/, ''));
}
