import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { snapshotFile } from '../../storage/index.ts';
import { sealInBox } from '../../vault/index.ts';
import { collectFiles, collectPrivate } from '../backup/collect.ts';
import { BOX_CONTEXT, type Manifest } from '../backup/format.ts';
import { writeBackup } from '../backup/write.ts';
import type { AdminClient } from '../client/admin-client.ts';
import { argument, defineCommand } from '../command.ts';
import { CliFault, EXIT, stateFault } from '../fault.ts';
import { textOf } from '../output.ts';
import type { State } from '../state.ts';
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
    const scratch = await mkdtemp(join(tmpdir(), 'sallyport-backup-'));
    try {
      // Before the log: each change of the database stands in the log that is copied after it.
      const database = config.storage.kind === 'postgres' ? null : await copyDatabase(state, client, scratch);
      const entries = await collectFiles(config, database);
      const secrets = collectPrivate(config);
      const bytes = Buffer.from(
        JSON.stringify(
          Object.fromEntries([...secrets].map(([path, content]) => [path, content.toString('base64')])),
        ),
      );
      const manifest: Manifest = {
        createdAt: new Date().toISOString(),
        version: await programVersionOf(),
        storage: config.storage.kind,
        files: entries.map(({ path, bytes: size, sha256 }) => ({ path, bytes: size, sha256 })),
        keys: passphrase === null ? null : await sealInBox(passphrase, BOX_CONTEXT, bytes),
      };
      bytes.fill(0);
      const size = await writeBackup(target, manifest, entries);
      const summary = {
        file: target,
        bytes: size,
        files: entries.length,
        keys: passphrase === null ? 0 : secrets.size,
      };
      output.result(
        summary,
        `Wrote ${target}: ${entries.length} files and ${summary.keys} sealed keys, ${size} bytes.`,
      );
      if (passphrase === null) {
        output.note(
          'It holds NO keys: with it alone no credential can be opened again. Keep a copy of keys/ in another safe place.',
        );
      }
      if (database === null) {
        output.note(
          'The database is a PostgreSQL server, which this file does not hold: run pg_dump --format=custom before it.',
        );
      }
      return undefined;
    } finally {
      passphrase?.wipe();
      await rm(scratch, { recursive: true, force: true });
    }
  },
});

/** Loaded here, so that `sallyport --help` does not wait for every room. */
async function programVersionOf(): Promise<string> {
  const { programVersion } = await import('../../compose/index.ts');
  return programVersion();
}

/** A running service holds the database for itself, so that it makes the copy; else we do. */
async function copyDatabase(state: State, client: AdminClient, scratch: string): Promise<string> {
  const { database, data } = state.config.paths;
  const own = join(scratch, 'sallyport.db');
  try {
    snapshotFile(database, own);
    return own;
  } catch (cause) {
    if (!(cause instanceof Error) || !/locked|in use/.test(cause.message)) throw cause;
  }
  await rm(own, { force: true });
  const made = textOf((await client.post('/backup/database')).file);
  // Only a name that the service makes in our own data folder: its answer must not point us elsewhere.
  const copy = join(data, basename(made));
  if (made !== copy || !existsSync(copy)) {
    throw new CliFault(
      EXIT.refused,
      'elsewhere',
      'The service that answers keeps its state in another place.',
      {
        remedy: 'Run the backup on its machine, with its SALLYPORT_HOME.',
      },
    );
  }
  try {
    snapshotFile(copy, own);
  } finally {
    await rm(copy, { force: true });
  }
  return own;
}
