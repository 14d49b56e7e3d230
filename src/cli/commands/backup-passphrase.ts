import { readFileSync } from 'node:fs';
import { SecretBytes } from '../../core/index.ts';
import type { OptionSpecs } from '../command.ts';
import { usageFault } from '../fault.ts';
import type { Terminal } from '../terminal.ts';

export const BACKUP_PASSPHRASE = {
  'passphrase-file': {
    type: 'string',
    value: 'FILE',
    help: 'Holds the passphrase of the keys; default: asked for.',
  },
} as const satisfies OptionSpecs;

const MIN_CHARACTERS = 12;
const MAX_BYTES = 1024;

/** From the file or a hidden prompt; never from the command line or a pipe that may hold something else. */
export async function backupPassphrase(
  values: { readonly 'passphrase-file': string | undefined },
  terminal: Terminal,
): Promise<SecretBytes> {
  const passphrase = await read(values['passphrase-file'], terminal);
  if (passphrase.length >= MIN_CHARACTERS) return passphrase;
  passphrase.wipe();
  throw usageFault(`The passphrase of a backup has at least ${MIN_CHARACTERS} characters.`);
}

async function read(file: string | undefined, terminal: Terminal): Promise<SecretBytes> {
  if (file !== undefined) return SecretBytes.fromUtf8(readFileSync(file, 'utf8').replace(/\r?\n$/, ''));
  if (!terminal.isInteractive) {
    throw usageFault(
      'The keys in a backup are sealed with a passphrase, and nobody is here to give one.',
      'Name a file with --passphrase-file; sallyport backup can also leave the keys out (--without-keys).',
    );
  }
  return new SecretBytes(await terminal.readSecret('Passphrase of the backup: ', MAX_BYTES));
}
