import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkCheckpointKey } from '../../../audit/index.ts';
import { systemClock } from '../../../core/index.ts';
import { loadOrCreateRandomKey } from '../../../files/index.ts';
import { checkPassportKeys } from '../../../passport/index.ts';
import { checkVaultKeys } from '../../../vault/index.ts';
import { type Found, fault, messageOf, ok, skipped, warning } from '../finding.ts';
import type { Patient } from '../patient.ts';

const ADMIN_PEPPER = 'admin-pepper.key';
/** Half-written drafts carry this ending (files/key-file.ts). */
const DRAFT = /\.new$/;
/** Made to be read by others, and what a clone has in this folder. */
const PUBLIC = /\.pub$|^README\.md$|^\.gitignore$/;

/** Modes, owners and wholeness of everything in keys/. */
export async function checkKeys({ config, uid }: Patient): Promise<Found[]> {
  const { keys, database } = config.paths;
  if (!existsSync(keys)) {
    return existsSync(database)
      ? [fault(`${keys} is missing, and the state beside it needs its keys.`, 'Restore it from a backup.')]
      : [skipped('There are no keys yet; the first start makes them.')];
  }
  const found = [...modes(keys, uid), ...(await contents(keys, config.vault.seal, existsSync(database)))];
  return found.length > 0
    ? found
    : [ok(`All files in ${keys} are whole, and only their owner can read them.`)];
}

function modes(folder: string, uid: number | null): Found[] {
  const found: Found[] = [];
  const own = lstatSync(folder);
  if ((own.mode & 0o077) !== 0) {
    found.push(
      fault(`${folder} can be entered by others (mode ${octal(own.mode)}).`, `Run: chmod 700 ${folder}`),
    );
  }
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    const { mode, uid: owner, ...kind } = statOf(path);
    if (kind.folder) found.push(...modes(path, uid));
    else if (!kind.file)
      found.push(fault(`${path} is no plain file.`, 'Put the file itself there; links are not followed.'));
    else if (PUBLIC.test(name)) continue;
    else if ((mode & 0o077) !== 0) {
      found.push(
        fault(`${path} can be read or changed by others (mode ${octal(mode)}).`, `Run: chmod 600 ${path}`),
      );
    } else if (uid !== null && uid !== 0 && owner !== uid) {
      found.push(
        warning(
          `${path} belongs to another user (${owner}) than this command's (${uid}).`,
          'Run the doctor as the user of the service, or correct the owner.',
        ),
      );
    }
    if (DRAFT.test(name)) {
      found.push(
        warning(
          `${path} is a draft that a crash left.`,
          `Remove it while the service is stopped: rm ${path}`,
        ),
      );
    }
  }
  return found;
}

function statOf(path: string) {
  const found = lstatSync(path);
  return { mode: found.mode, uid: found.uid, folder: found.isDirectory(), file: found.isFile() };
}

async function contents(keys: string, seal: 'file' | 'passphrase', used: boolean): Promise<Found[]> {
  const found: Found[] = [];
  const missing: string[] = [];
  const look = async (work: () => Promise<readonly string[]>): Promise<void> => {
    try {
      missing.push(...(await work()));
    } catch (cause) {
      // Modes are told above, each with its command.
      if (/can be read or changed by others|readable by other users/.test(messageOf(cause))) return;
      found.push(fault(messageOf(cause), 'Restore the file from a backup (sallyport restore).'));
    }
  };
  await look(async () => ((await checkVaultKeys(keys, seal)) ? [] : ['the root key of the vault']));
  await look(async () => ((await checkCheckpointKey(keys)) ? [] : ['audit-checkpoint.key']));
  await look(() => checkPassportKeys(keys, systemClock));
  await look(() => readPepper(keys));
  if (used && missing.length > 0) {
    found.push(
      fault(
        `${keys} lacks ${missing.join(', ')}, and there is a database that was made with it.`,
        'Restore it from a backup before the next start: a new one would not open what the old one closed.',
      ),
    );
  }
  return found;
}

async function readPepper(keys: string): Promise<readonly string[]> {
  if (!existsSync(join(keys, ADMIN_PEPPER))) return [ADMIN_PEPPER];
  await loadOrCreateRandomKey(join(keys, ADMIN_PEPPER), 'admin tokens');
  return [];
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}
