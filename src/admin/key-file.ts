import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** A file of the keys folder that can't be used as it stands; the message names it and says what to do. */
export class KeyFileError extends Error {
  readonly file: string;

  constructor(file: string, what: string) {
    super(`${file} ${what}`);
    this.name = 'KeyFileError';
    this.file = file;
  }
}

/**
 * Reads a key of `bytes` random bytes (hex, one line) from `directory`, or makes it, mode 0600, at first use.
 * Throws KeyFileError when the file is cut off, or readable by other users of the machine.
 */
export function loadOrCreateKey(directory: string, name: string, bytes: number): Buffer {
  const file = join(directory, name);
  writeOwnFile(file, `${randomBytes(bytes).toString('hex')}\n`);
  const text = readOwnFile(file).trim();
  if (!new RegExp(`^[0-9a-f]{${bytes * 2}}$`).test(text)) {
    throw new KeyFileError(
      file,
      `must hold ${bytes * 2} hexadecimal digits; it was cut off or edited. Restore it from a backup: what was made with it is worth nothing without it.`,
    );
  }
  return Buffer.from(text, 'hex');
}

/** Reads a file that only its owner may read; throws KeyFileError when others may, too. */
export function readOwnFile(file: string): string {
  const { mode } = statSync(file);
  if ((mode & 0o077) !== 0) {
    throw new KeyFileError(file, `is readable by other users of this machine; run: chmod 600 ${file}`);
  }
  return readFileSync(file, 'utf8');
}

/**
 * Writes a new file, mode 0600, whole or not at all; false when the file exists already. A link, unlike a
 * rename, never replaces a file that another process made at the same time.
 */
export function writeOwnFile(file: string, text: string): boolean {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  try {
    linkSync(draft, file);
    syncDirectory(dirname(file));
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    throw cause;
  } finally {
    rmSync(draft, { force: true });
  }
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
