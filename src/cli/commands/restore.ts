import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { argument, defineCommand } from '../command.ts';
import { stateFault } from '../fault.ts';
import { BACKUP_PASSPHRASE, backupPassphrase } from './backup-passphrase.ts';

export const restore = defineCommand({
  name: 'restore',
  summary:
    'Put the state that sallyport backup kept into an empty folder, after everything in it was checked.',
  arguments: [{ name: 'FILE', help: 'The backup.' }],
  options: {
    ...BACKUP_PASSPHRASE,
    to: {
      type: 'string',
      value: 'DIR',
      help: 'State folder; must be empty or not there. Default: SALLYPORT_HOME.',
    },
    'without-keys': {
      type: 'boolean',
      help: 'Leave the keys in the backup; put your own copy of keys/ there.',
    },
  },
  examples: [
    'sallyport restore /mnt/backup/sallyport.backup --to /srv/sallyport',
    'SALLYPORT_HOME=/srv/sallyport sallyport restore nightly.backup --passphrase-file /run/secrets/backup-passphrase',
  ],
  async run({ args, values, output, state, terminal }) {
    const name = resolve(argument(args, 0));
    const target = resolve(values.to ?? state.config.paths.home);
    if (existsSync(target) && readdirSync(target).length > 0) {
      throw stateFault(
        `${target} is not empty.`,
        'A backup is restored into an empty place only: name one with --to, and start with SALLYPORT_HOME set to it.',
      );
    }
    const { restoreBackup } = await import('../backup/restore.ts');
    const { manifest, keys, records } = await restoreBackup({
      name,
      target,
      passphrase: values['without-keys'] ? null : () => backupPassphrase(values, terminal),
    });
    const summary = {
      home: target,
      createdAt: manifest.createdAt,
      files: manifest.files.length,
      keys,
      auditRecords: records,
    };
    output.result(
      summary,
      `Restored the state of ${manifest.createdAt} into ${target}: ${summary.files} files, ${keys} keys, ${records} audit records, all checked.`,
    );
    if (keys === 0)
      output.note('No keys were restored: put your copy of keys/ there before the first start.');
    if (manifest.storage === 'postgres')
      output.note('The database is not in this backup: restore it with pg_restore first.');
    output.say(`Start it with: SALLYPORT_HOME=${target} sallyport up`);
    return undefined;
  },
});
