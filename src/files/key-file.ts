import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const PRIVATE_MODE = 0o600;
/** More than any key file holds: a wrong file put in its place must not fill the memory. */
const MAX_BYTES = 1024 * 1024;
/** Younger drafts may belong to a process that is about to link them. */
const DRAFT_ABANDONED_MS = 60_000;
const DRAFT = /\.[0-9a-f]{12}\.new$/;
/** A link in the folder must not point us at another file, and a pipe in it must not keep us waiting. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

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
  const file = await open(path, READ).catch((cause: unknown) => {
    if (hasCode(cause, 'ENOENT')) return null;
    if (hasCode(cause, 'ELOOP')) {
      throw new KeyFileError(path, 'is a symbolic link; put the file itself there', { cause });
    }
    throw new KeyFileError(path, `can not be read (${messageOf(cause)})`, { cause });
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
    if (found.size > MAX_BYTES) {
      throw new KeyFileError(path, `has ${found.size} bytes, more than any key; restore it from a backup`);
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
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeNew(draft, content, mode);
  } catch (cause) {
    // A full disk must not fill with halves of keys.
    await unlink(draft).catch(() => {});
    throw new KeyFileError(path, `can not be written (${messageOf(cause)})`, { cause });
  }
  return draft;
}

async function writeNew(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Takes a key file away, durably; nothing happens when there is none. */
export async function removeKeyFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return;
    throw cause;
  }
  await syncFolder(dirname(path));
}

/**
 * Removes the drafts that a killed process left in a folder of keys: each is a copy of a key under a name that
 * no backup and no rotation knows. Those of the last minute stay, since somebody may be writing them.
 */
export async function removeAbandonedDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!DRAFT.test(name)) continue;
    const draft = join(folder, name);
    const found = await lstat(draft).catch(() => null);
    if (found?.isFile() !== true || Date.now() - found.mtimeMs < DRAFT_ABANDONED_MS) continue;
    await unlink(draft).catch(() => {});
  }
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

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
