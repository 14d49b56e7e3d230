import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

const MODE = 0o600;

/**
 * Reads a file that holds a key. Null when there is none. Throws an error that names the file when others
 * may read it, when it belongs to somebody else, or when it is no plain file.
 */
export async function readKeyFile(path: string): Promise<Buffer | null> {
  // O_NOFOLLOW: a link in the folder must not be able to point us at another file.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null;
    throw new Error(`${path} can not be read: ${String(error)}`, { cause: error });
  });
  if (file === null) return null;
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Error(`${path} is not a plain file; restore it from a backup`);
    if ((found.mode & 0o077) !== 0) {
      const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
      throw new Error(`${path} can be read or changed by others (mode ${mode}); run: chmod 600 ${path}`);
    }
    const self = process.getuid?.();
    if (self !== undefined && self !== 0 && found.uid !== self) {
      throw new Error(`${path} belongs to another user; run: chown $(id -un) ${path}`);
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/**
 * Makes a key file that must not exist yet, whole and durable or not at all: it is written under another name
 * and linked. False when somebody else was first.
 */
export async function createKeyFile(path: string, bytes: Uint8Array): Promise<boolean> {
  const temporary = await writeTemporary(path, bytes);
  try {
    await link(temporary, path);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await unlink(temporary);
  }
  await syncFolder(dirname(path));
  return true;
}

/** Replaces a key file in one step: after a crash it is the old one or the new one. */
export async function replaceKeyFile(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = await writeTemporary(path, bytes);
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

async function writeTemporary(path: string, bytes: Uint8Array): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', MODE);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  return temporary;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
