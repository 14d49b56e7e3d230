import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { argument, defineCommand } from '../command.ts';
import { stateFault } from '../fault.ts';
import { BACKUP_PASSPHRASE, backupPassphrase } from './backup-passphrase.ts';

export const backup = defineCommand({
  name: 'backup',
  summary:
    'Keep the whole state in one file: database, audit log, policies, settings, and the keys under a passphrase; also while the service runs.',
  arguments: [{ name: 'FILE', help: 'Where to; must not exist.' }],
  options: {
    ...BACKUP_PASSPHRASE,
    'without-keys': {
      type: 'boolean',
      help: 'Leave the keys out; without them nothing sealed can be opened again.',
    },
  },
  examples: [
    'sallyport backup /mnt/backup/sallyport.backup',
    'sallyport backup nightly.backup --passphrase-file /run/secrets/backup-passphrase',
    'sallyport backup state.backup --without-keys',
  ],
  async run({ args, values, output, state, terminal, client }) {
    const target = resolve(argument(args, 0));
    if (existsSync(target)) throw stateFault(`${target} exists already.`, 'Choose another name.');
    const { config } = state;
    if (!existsSync(config.paths.data)) throw stateFault(`There is no state in ${config.paths.home}.`);
    const passphrase = values['without-keys'] ? null : await backupPassphrase(values, terminal);
    try {
      const { makeBackup } = await import('../backup/make.ts');
      const summary = await makeBackup({ target, state, client, passphrase });
      output.result(
        summary,
        `Wrote ${target}: ${summary.files} files and ${summary.keys} sealed keys, ${summary.bytes} bytes.`,
      );
    } finally {
      passphrase?.wipe();
    }
    if (passphrase === null) {
      output.note(
        'It holds NO keys: with it alone no credential can be opened again. Keep a copy of keys/ in another safe place.',
      );
    }
    if (config.storage.kind === 'postgres') {
      output.note(
        'The database is a PostgreSQL server, which this file does not hold: run pg_dump --format=custom before it.',
      );
    }
    return undefined;
  },
});
