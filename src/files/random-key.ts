import { randomBytes } from 'node:crypto';
import { createKeyFile, KeyFileError, readKeyFile } from './key-file.ts';

/**
 * A key of 32 random bytes (hex, one line) in a file of its own, made at first use. `worth`: what is worth nothing
 * without it, for the person who lost it. Throws KeyFileError when the file is cut off or edited.
 */
export async function loadOrCreateRandomKey(path: string, worth: string): Promise<Buffer> {
  let bytes = await readKeyFile(path);
  if (bytes === null) {
    await createKeyFile(path, `${randomBytes(32).toString('hex')}\n`);
    // Another process may have been first; its key counts.
    bytes = await readKeyFile(path);
  }
  const text = bytes?.toString('latin1') ?? '';
  if (/^[0-9a-f]{64}\n$/.test(text)) return Buffer.from(text.trim(), 'hex');
  throw new KeyFileError(
    path,
    `must hold 64 hexadecimal digits; it was cut off or edited: restore it from a backup, since ${worth} are worth nothing without it`,
  );
}
