import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { programVersion } from '../../compose/index.ts';
import type { SecretBytes } from '../../core/index.ts';
import { snapshotFile } from '../../storage/index.ts';
import { sealInBox } from '../../vault/index.ts';
import type { AdminClient } from '../client/admin-client.ts';
import { CliFault, EXIT } from '../fault.ts';
import { textOf } from '../output.ts';
import type { State } from '../state.ts';
import { collectFiles, collectPrivate } from './collect.ts';
import { BOX_CONTEXT, type Manifest } from './format.ts';
import { writeBackup } from './write.ts';

/** What was written. */
export interface Made {
  readonly file: string;
  readonly bytes: number;
  /** How many. */
  readonly files: number;
  /** How many, sealed with the passphrase. */
  readonly keys: number;
}

/** Keeps the state of this machine in one file; also while the service runs. Throws CliFault. */
export async function makeBackup(o: {
  readonly target: string;
  readonly state: State;
  readonly client: AdminClient;
  /** Seals the keys; null: they are left out. */
  readonly passphrase: SecretBytes | null;
}): Promise<Made> {
  const { target, state, client, passphrase } = o;
  const { config } = state;
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
      version: programVersion(),
      storage: config.storage.kind,
      files: entries.map(({ path, bytes: size, sha256 }) => ({ path, bytes: size, sha256 })),
      keys: passphrase === null ? null : await sealInBox(passphrase, BOX_CONTEXT, bytes),
    };
    bytes.fill(0);
    const size = await writeBackup(target, manifest, entries);
    return {
      file: target,
      bytes: size,
      files: entries.length,
      keys: passphrase === null ? 0 : secrets.size,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
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
