import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, open, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { loadCheckpointPublicKey, verifyAuditLog } from '../../audit/index.ts';
import { syncFolder } from '../../files/index.ts';
import { inspectStorage } from '../../storage/index.ts';
import { openBox } from '../../vault/index.ts';
import { BOX_CONTEXT, keysSchema, type Manifest } from '../backup/format.ts';
import { damaged, extractFiles, readManifest } from '../backup/read.ts';
import { argument, defineCommand } from '../command.ts';
import { stateFault } from '../fault.ts';
import type { Terminal } from '../terminal.ts';
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
    // Beside the target: the last step is one rename, and until then nothing is there.
    const staging = `${target}.restoring`;
    await rm(staging, { recursive: true, force: true });
    await mkdir(dirname(target), { recursive: true });
    await mkdir(staging, { mode: 0o700 });
    try {
      const manifest = await unpack(name, staging);
      const keys = values['without-keys'] ? 0 : await putKeys(name, manifest, staging, { values, terminal });
      const records = await check(manifest, staging);
      if (existsSync(target)) await rmdir(target);
      await rename(staging, target);
      await syncFolder(dirname(target));
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
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  },
});

async function unpack(name: string, staging: string): Promise<Manifest> {
  const handle = await open(name, 'r').catch((cause: unknown) => {
    throw stateFault(`${name} can not be read.`, undefined, cause);
  });
  try {
    const opened = await readManifest(handle, name);
    await extractFiles(handle, name, opened, staging);
    return opened.manifest;
  } finally {
    await handle.close();
  }
}

async function putKeys(
  name: string,
  { keys }: Manifest,
  staging: string,
  o: { readonly values: Parameters<typeof backupPassphrase>[0]; readonly terminal: Terminal },
): Promise<number> {
  if (keys === null) return 0;
  using passphrase = await backupPassphrase(o.values, o.terminal);
  const bytes = await openBox(passphrase, BOX_CONTEXT, keys);
  if (bytes === null) {
    throw stateFault(
      `The passphrase does not open the keys in ${name}.`,
      'Nothing was restored. Try the passphrase that the backup was made with.',
    );
  }
  const parsed = keysSchema.safeParse(JSON.parse(bytes.toString('utf8')));
  bytes.fill(0);
  if (!parsed.success) throw damaged(name, 'its keys can not be read');
  for (const [path, content] of Object.entries(parsed.data)) {
    const file = join(staging, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, Buffer.from(content, 'base64'), { flag: 'wx', mode: 0o600, flush: true });
    await chmod(file, 0o600);
  }
  return Object.keys(parsed.data).length;
}

/** The database has just the schema of this program, and the log is whole from its first record on. */
async function check(manifest: Manifest, staging: string): Promise<number> {
  const file = join(staging, 'data', 'sallyport.db');
  if (manifest.storage === 'sqlite') {
    const found = await inspectStorage({ kind: 'sqlite', file, durability: 'power' });
    if (found === null) throw stateFault('The backup holds no database.', 'Nothing was restored.');
    await found.close();
    for (const side of ['-shm', '-wal']) await rm(`${file}${side}`, { force: true });
    if (found.missingMigrations > 0) {
      throw stateFault(
        `The backup was made by Sallyport ${manifest.version}, whose schema is older by ${found.missingMigrations} migrations.`,
        'Nothing was restored. Restore it with that version, start that once, then update.',
      );
    }
  }
  const directory = join(staging, 'data', 'audit');
  if (!existsSync(directory)) return 0;
  const publicKey = await loadCheckpointPublicKey(join(staging, 'keys'));
  const report = await verifyAuditLog({ directory, ...(publicKey === null ? {} : { publicKey }) });
  if (report.firstBroken === null) return report.records;
  const { sequence, reason } = report.firstBroken;
  throw stateFault(
    `The audit log in the backup is broken at record ${sequence}: ${reason}.`,
    'Nothing was restored. Take an older backup, and look into it: sallyport audit verify.',
  );
}
