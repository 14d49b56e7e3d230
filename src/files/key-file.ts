import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

const PRIVATE_MODE = 0o600;

/** A file of the keys folder that can't be used as it stands; the message names it and says what to do. */
export class KeyFileError extends Error {
  readonly file: string;

  constructor(file: string, what: string, options: { readonly cause?: unknown } = {}) {
    super(`${file} ${what}`, options);
    this.name = 'KeyFileError';
    this.file = file;
  }
}

/**
 * Reads a file that holds a key; null when there is none. Throws KeyFileError when others may read or change it,
 * when it belongs to somebody else, or when it is no plain file.
 */
export async function readKeyFile(path: string): Promise<Buffer | null> {
  // O_NOFOLLOW: a link in the folder must not be able to point us at another file.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((cause: unknown) => {
    if (hasCode(cause, 'ENOENT')) return null;
    throw new KeyFileError(path, 'can not be read', { cause });
  });
  if (file === null) return null;
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new KeyFileError(path, 'is not a plain file; restore it from a backup');
    if ((found.mode & 0o077) !== 0) {
      const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
      throw new KeyFileError(path, `can be read or changed by others (mode ${mode}); run: chmod 600 ${path}`);
    }
    const self = process.getuid?.();
    if (self !== undefined && self !== 0 && found.uid !== self) {
      throw new KeyFileError(path, `belongs to another user; run: chown $(id -un) ${path}`);
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
export async function createKeyFile(path: string, content: Uint8Array | string): Promise<boolean> {
  const draft = await writeDraft(path, content, PRIVATE_MODE);
  try {
    // A link, unlike a rename, never replaces what another process made at the same time.
    await link(draft, path);
  } catch (cause) {
    if (hasCode(cause, 'EEXIST')) return false;
    throw cause;
  } finally {
    await unlink(draft);
  }
  await syncFolder(dirname(path));
  return true;
}

/** Replaces a key file in one step: after a crash it is the old one or the new one, never half of either. */
export async function replaceKeyFile(
  path: string,
  content: Uint8Array | string,
  mode: number = PRIVATE_MODE,
): Promise<void> {
  await rename(await writeDraft(path, content, mode), path);
  await syncFolder(dirname(path));
}

async function writeDraft(path: string, content: Uint8Array | string, mode: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  const file = await open(draft, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}

/** Without this a power cut could take the file's name away. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}
