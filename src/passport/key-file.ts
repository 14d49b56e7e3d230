import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file of the keys folder that can't be used as it stands; the message names it and says what to do. */
export class KeyFileError extends Error {
  readonly file: string;

  constructor(file: string, what: string, options: { readonly cause?: unknown } = {}) {
    super(`${file} ${what}`, options);
    this.name = 'KeyFileError';
    this.file = file;
  }
}

/** The text of a key file that its owner alone may read, or null when there is none. */
export async function readKeyFile(path: string): Promise<string | null> {
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
      throw new KeyFileError(path, `can be read or changed by others; run: chmod 600 ${path}`);
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Makes a key file, mode 0600, whole or not at all. False when it exists already. */
export async function createKeyFile(path: string, text: string): Promise<boolean> {
  const draft = await writeDraft(path, text);
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
export async function replaceKeyFile(path: string, text: string): Promise<void> {
  await rename(await writeDraft(path, text), path);
  await syncFolder(dirname(path));
}

async function writeDraft(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return draft;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === code;
}
