import { existsSync } from 'node:fs';
import { chmod, mkdir, open, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadCheckpointPublicKey, verifyAuditLog } from '../../audit/index.ts';
import type { SecretBytes } from '../../core/index.ts';
import { syncFolder } from '../../files/index.ts';
import { inspectStorage } from '../../storage/index.ts';
import { openBox } from '../../vault/index.ts';
import { stateFault } from '../fault.ts';
import { BOX_CONTEXT, keysSchema, type Manifest } from './format.ts';
import { damaged, extractFiles, readManifest } from './read.ts';

/** What was restored, all of it checked. */
export interface Restored {
  readonly manifest: Manifest;
  /** How many. */
  readonly keys: number;
  /** How many, of the audit log. */
  readonly records: number;
}

/** Puts a backup into a folder that is empty or not there, whole or not at all. Throws CliFault. */
export async function restoreBackup(o: {
  readonly name: string;
  readonly target: string;
  /** Asked for when the backup holds keys; null: the keys stay in it. */
  readonly passphrase: (() => Promise<SecretBytes>) | null;
}): Promise<Restored> {
  const { name, target, passphrase } = o;
  // Beside the target: the last step is one rename, and until then nothing is there.
  const staging = `${target}.restoring`;
  await rm(staging, { recursive: true, force: true });
  await mkdir(dirname(target), { recursive: true });
  await mkdir(staging, { mode: 0o700 });
  try {
    const manifest = await unpack(name, staging);
    const keys = passphrase === null ? 0 : await putKeys(name, manifest, staging, passphrase);
    const records = await check(manifest, staging);
    if (existsSync(target)) await rmdir(target);
    await rename(staging, target);
    await syncFolder(dirname(target));
    return { manifest, keys, records };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

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
  ask: () => Promise<SecretBytes>,
): Promise<number> {
  if (keys === null) return 0;
  using passphrase = await ask();
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
